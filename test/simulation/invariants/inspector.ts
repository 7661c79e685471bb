import { type Desktop, type MemoryFleet, type Session, SHOWABLE } from '#libs/fleet';
import type { Scheduler } from '../engine/scheduler.js';
import type { WatchedHost } from '../nodes/watched-host.js';
import type { Tally } from '../report/tally.js';
import { DesktopRules } from './desktop-rules.js';
import { MachineRules } from './machine-rules.js';
import { ModeRules } from './mode-rules.js';
import { PathRules } from './path-rules.js';
import { PoolRules } from './pool-rules.js';
import { QueueRules } from './queue-rules.js';
import { SessionEnds } from './session-ends.js';
import { SessionRules } from './session-rules.js';

/** Looks at every commit and every machine made, and throws at the first that breaks a rule. */
export class Inspector {
  readonly desktops = new DesktopRules();
  readonly ends = new SessionEnds();
  readonly pools = new PoolRules();
  readonly modes = new ModeRules();
  private readonly queue = new QueueRules(this.modes);
  private readonly sessions = new SessionRules(this.desktops);
  private readonly paths: PathRules;
  private readonly machines: MachineRules;
  private readonly changedDesktops = new Set<Desktop>();
  /** The new row, with the one before the commit. */
  private readonly changedSessions = new Map<Session, Session | undefined>();
  /** When the transaction began to look that gave the session a desktop, or ordered the desktop. */
  private readonly lookedAt = new Map<string, number>();
  private eventsSeen = 0;

  constructor(
    private readonly fleet: MemoryFleet,
    hosts: readonly WatchedHost[],
    private readonly scheduler: Scheduler,
    private readonly tally: Tally,
  ) {
    this.paths = new PathRules(tally);
    this.machines = new MachineRules(fleet, hosts, this.desktops);
    this.watchCommits();
    for (const host of hosts) host.onMachineMade((machineId) => this.guard(() => this.machines.made(machineId, host)));
  }

  /** @param id of the session that is given a desktop, or of the desktop that is ordered */
  looked(id: string, atStep: number): void {
    this.lookedAt.set(id, atStep);
  }

  /** Call when all has come to rest after a step. @throws Violation */
  inspect(): void {
    if (this.changedDesktops.size === 0 && this.changedSessions.size === 0) return;
    for (const event of this.fleet.stateEvents.slice(this.eventsSeen)) this.paths.moved(event);
    for (const desktop of this.changedDesktops) this.paths.endsAt(desktop.id, desktop.state);
    for (const session of this.changedSessions.keys()) this.paths.endsAt(session.id, session.state);
    for (const desktop of this.changedDesktops) this.desktops.changed(desktop);
    for (const desktop of this.changedDesktops) this.machines.changed(desktop);
    this.inspectPools();
    this.inspectSessions();
    this.inspectQueue();
    this.eventsSeen = this.fleet.stateEvents.length;
    this.changedDesktops.clear();
    this.changedSessions.clear();
  }

  private watchCommits(): void {
    const { desktops, sessions } = this.fleet;
    const putDesktop = desktops.put.bind(desktops);
    desktops.put = (row) => {
      putDesktop(row);
      this.changedDesktops.add(row);
    };
    const putSession = sessions.put.bind(sessions);
    sessions.put = (row) => {
      this.changedSessions.set(row, sessions.rows.get(row.id));
      putSession(row);
    };
  }

  private inspectPools(): void {
    for (const desktop of this.changedDesktops) {
      const plannedAt = desktop.state === 'provisioning' ? this.lookedAt.get(desktop.id) : undefined;
      if (plannedAt === undefined) continue;
      let existing = 0;
      for (const other of this.fleet.desktops.hot.values()) if (other.poolId === desktop.poolId) existing += 1;
      this.pools.added(desktop.poolId, existing, plannedAt);
      this.modes.desktopAdded(desktop, plannedAt);
    }
  }

  private inspectSessions(): void {
    for (const [session, before] of this.changedSessions) {
      this.sessions.changed(session);
      if (session.state !== 'ended' && session.state !== 'failed') continue;
      if (before?.state === session.state) continue;
      const event = this.fleet.stateEvents.findLast(({ entityId }) => entityId === session.id);
      const timeoutMinutes = this.fleet.pools.get(session.poolId)?.disconnectTimeoutMinutes ?? 0;
      this.ends.ended(before, session, event?.reason ?? null, timeoutMinutes * 60_000);
      this.tally.count(`session ended: ${event?.reason}`);
    }
    for (const { sessionId } of this.changedDesktops) {
      const session = sessionId === null ? undefined : this.fleet.sessions.rows.get(sessionId);
      if (session) this.sessions.hasWhatItsStateSays(session);
    }
  }

  private inspectQueue(): void {
    if (this.changedSessions.size === 0) return;
    const served = new Map<string, number>();
    for (const [session, before] of this.changedSessions) {
      const lookedAt = this.lookedAt.get(session.id);
      if (!before?.waitingSince || !SHOWABLE.includes(session.state) || lookedAt === undefined) continue;
      served.set(session.id, lookedAt);
      const waitedMs = session.stateChangedAt.getTime() - before.waitingSince.getTime();
      this.tally.count(waitedMs > 1_000 ? 'served after a wait' : 'served at once');
    }
    this.queue.committed(served, [...this.changedSessions.keys()], this.scheduler.steps);
  }

  private guard(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.scheduler.fail(error);
    }
  }
}
