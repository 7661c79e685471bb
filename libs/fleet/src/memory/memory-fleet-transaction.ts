import type { AuditRecord } from '#libs/audit';
import type { DisplaySize } from '#libs/contracts';
import { assertPath } from '#libs/kernel';
import { desktopStates } from '../desktop-states.js';
import type {
  DesktopMove,
  DesktopOrder,
  FleetTransaction,
  NewSession,
  SessionMove,
  SessionOwnership,
  SessionRequest,
  SessionRequestKey,
} from '../fleet-transaction.js';
import { sessionStates } from '../session-states.js';
import { MemoryDesktops } from './memory-desktops.js';
import { pool, publishedVersion } from './memory-queries.js';
import { MemorySessions } from './memory-sessions.js';
import { MemorySituation } from './memory-situation.js';
import type { MemoryTransaction } from './memory-transaction.js';

/** The statements of one transaction; each passes the gate under its own name. */
export class MemoryFleetTransaction implements FleetTransaction {
  private readonly desktops: MemoryDesktops;
  private readonly sessions: MemorySessions;
  private readonly situation: MemorySituation;

  constructor(
    private readonly tx: MemoryTransaction,
    private readonly hooks: (() => Promise<void> | void)[],
  ) {
    this.desktops = new MemoryDesktops(tx);
    this.sessions = new MemorySessions(tx);
    this.situation = new MemorySituation(tx);
  }

  lockPlan = (poolId: string) => this.advisoryLock('lockPlan', 'plan-lock', `plan:${poolId}`);
  lockHosts = () => this.advisoryLock('lockHosts', 'plan-lock', 'hosts');
  lockQueue = async (poolId: string) => {
    await this.advisoryLock('lockQueue', 'queue-lock', `queue:${poolId}`);
    return pool(this.tx.fleet, poolId);
  };

  pool = (id: string) => this.tx.run('pool', () => pool(this.tx.fleet, id));
  publishedVersion = (imageId: string) =>
    this.tx.run('publishedVersion', () => publishedVersion(this.tx.fleet, imageId));
  counts = (poolId: string, versionId: string) => this.tx.run('counts', () => this.situation.counts(poolId, versionId));
  recentFailures = (poolId: string) => this.tx.run('recentFailures', () => this.situation.recentFailures(poolId));
  hosts = () => this.tx.run('hosts', () => this.situation.hosts());

  addDesktops = (order: DesktopOrder) => this.tx.run('addDesktops', () => this.desktops.add(order));
  async moveDesktops(moves: readonly DesktopMove[]): Promise<ReadonlySet<string>> {
    for (const { from, to } of moves) for (const state of from) assertPath(desktopStates, [state, to]);
    return this.tx.run('moveDesktops', () => this.desktops.move(moves));
  }
  lockSpares = (poolId: string, versionId: string, which: 'available' | 'outdated', limit: number) =>
    this.tx.run('lockSpares', () => this.desktops.lockSpares(poolId, versionId, which, limit));
  claimSpares = (poolId: string, sessionIds: readonly string[]) =>
    this.tx.run('claimSpares', () => this.desktops.claimSpares(poolId, sessionIds));
  assignedDesktops = (sessionIds: readonly string[]) =>
    this.tx.run('assignedDesktops', () => this.desktops.assignedTo(sessionIds));

  addSessions = (sessions: readonly NewSession[]) => this.tx.run('addSessions', () => this.sessions.add(sessions));
  /** The model knows no applications: nobody is given any. */
  recordLogons = async () => undefined;
  liveSessions = (owners: readonly SessionOwnership[]) => this.tx.run('liveSessions', () => this.sessions.live(owners));
  lockSessions = (ids: readonly string[]) => this.tx.run('lockSessions', () => this.sessions.lock(ids));
  lockWaiting = (poolId: string, limit: number, who: 'all' | 'returning') =>
    this.tx.run('lockWaiting', () => this.sessions.lockWaiting(poolId, limit, who));
  queue = (poolId: string, limit: number) => this.tx.run('queue', () => this.sessions.queue(poolId, limit));
  async moveSessions(moves: readonly SessionMove[]): Promise<void> {
    if (moves.length === 0) return;
    for (const { path } of moves) assertPath(sessionStates, path);
    const count = await this.tx.run('moveSessions', () => this.sessions.move(moves));
    if (count !== moves.length) throw new Error('a session is not in the state any more that it was read in');
  }
  setDisplay = (sessionId: string, size: DisplaySize) =>
    this.tx.run('setDisplay', () => this.sessions.setDisplay(sessionId, size));

  /** The model has no profiles: its desktops are ready when they are given. */
  addSessionProfiles = async () => undefined;
  chooseProfileOutcomes = async () => new Set<string>();

  sessionRequests = (keys: readonly SessionRequestKey[]) =>
    this.tx.run('sessionRequests', () => this.sessions.requests(keys));
  addSessionRequests = (requests: readonly SessionRequest[]) =>
    this.tx.run('addSessionRequests', () => this.sessions.addRequests(requests));

  async audit(entries: readonly AuditRecord[]): Promise<void> {
    if (entries.length > 0) await this.tx.run('audit', () => this.tx.recordAudit(entries));
  }

  afterCommit(hook: () => Promise<void> | void): void {
    this.hooks.push(hook);
  }

  private advisoryLock(statement: string, rule: 'plan-lock' | 'queue-lock', name: string): Promise<void> {
    const { fleet, locks } = this.tx;
    return this.tx.run(statement, () => (fleet.enforces(rule) ? locks.lock(fleet.locks.advisory, name) : undefined));
  }
}
