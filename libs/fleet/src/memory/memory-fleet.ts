import { randomUUID } from 'node:crypto';
import type { Clock } from '#libs/kernel';
import type { Desktop } from '../desktop.entity.js';
import type { Host } from '../host.entity.js';
import type { Pool } from '../pool.entity.js';
import type { Session } from '../session.entity.js';
import { checkDesktop } from './check-desktop.js';
import type { FleetRule } from './fleet-rule.js';
import { LockTable } from './lock-table.js';
import { ConstraintViolation } from './memory-errors.js';
import type { AuditRow, ImageVersionRow, SessionRequestRow, StateEventRow } from './memory-rows.js';
import { MemoryTable } from './memory-table.js';
import { newPool } from './new-pool.js';
import { isLive, newSession } from './new-session.js';
import type { OpenTransaction } from './open-transaction.js';
import { ProvisioningHistory } from './provisioning-history.js';

export interface MemoryFleetOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** Makes the ids of new rows; random unless given. */
  readonly newId?: () => string;
  /** Rules of the database that are switched off. */
  readonly without?: readonly FleetRule[];
}

/**
 * A database in memory that several `MemoryFleetStore` share, with the isolation of PostgreSQL's READ COMMITTED. The
 * rows here are the committed ones and must not be changed by whoever reads them.
 */
export class MemoryFleet {
  readonly clock: Pick<Clock, 'now'>;
  readonly newId: () => string;
  readonly pools = new Map<string, Pool>();
  readonly hosts = new Map<string, Host>();
  readonly imageVersions = new Map<string, ImageVersionRow>();
  readonly desktops = new MemoryTable<Desktop>((desktop) => desktop.state !== 'deleted');
  readonly sessions = new MemoryTable<Session>((session) => isLive(session) || session.waitingSince !== null);
  readonly sessionRequests = new MemoryTable<SessionRequestRow>(() => false);
  /** In the order of the commits. */
  readonly stateEvents: StateEventRow[] = [];
  readonly auditEntries: AuditRow[] = [];
  readonly locks = { desktops: new LockTable(), sessions: new LockTable(), advisory: new LockTable() };
  readonly history = new ProvisioningHistory();
  readonly openTransactions = new Set<OpenTransaction>();
  private readonly without: ReadonlySet<FleetRule>;

  constructor(options: MemoryFleetOptions) {
    this.clock = options.clock;
    this.newId = options.newId ?? randomUUID;
    this.without = new Set(options.without);
  }

  enforces(rule: FleetRule): boolean {
    return !this.without.has(rule);
  }

  /** Transactions that wait for a lock of another one now. */
  get lockWaits(): number {
    let count = 0;
    for (const { locks } of this.openTransactions) if (locks.wait) count += 1;
    return count;
  }

  addPool(pool: Partial<Pool> & Pick<Pool, 'name' | 'imageId'>): Pool {
    const added = newPool(this.newId, pool);
    this.pools.set(added.id, added);
    return added;
  }

  changePool(id: string, change: Partial<Pool>): void {
    const pool = this.pools.get(id);
    if (!pool) throw new Error(`no pool ${id}`);
    this.pools.set(id, { ...pool, ...change, id });
  }

  /** Adds a host, or changes one: what a provisioner's report does. It is seen now unless told otherwise. */
  reportHost({ name, ...report }: Partial<Host> & Pick<Host, 'name'>): void {
    const unknown = { driver: 'fake', accelerator: 'none', vcpus: 8, memoryMib: 16_384, mode: 'active' as const };
    const known = this.hosts.get(name) ?? { ...unknown, availableMemoryMib: 16_384, availableDiskMib: 100_000 };
    this.hosts.set(name, { ...known, lastSeenAt: this.clock.now(), ...report, name });
  }

  /** Adds a version of an image, newer than all before; of those that are published, the last one serves. @returns its id */
  publish(imageId: string, state: ImageVersionRow['state'] = 'published'): string {
    let number = 1;
    for (const version of this.imageVersions.values()) {
      if (version.imageId !== imageId) continue;
      number += 1;
      if (state === 'published' && version.state === state)
        this.imageVersions.set(version.id, { ...version, state: 'retired' });
    }
    const id = this.newId();
    this.imageVersions.set(id, { id, imageId, number, state });
    return id;
  }

  /** Changes a committed row as an operator's own UPDATE would, past all locks. @throws ConstraintViolation */
  forceDesktop(id: string, change: Partial<Desktop>): void {
    const before = this.desktops.rows.get(id);
    if (!before) throw new Error(`no desktop ${id}`);
    const after = { ...before, ...change, id };
    checkDesktop(this, after, before);
    if (after.state === 'assigned' && this.enforces('one-desktop-per-session'))
      for (const other of this.desktops.hot.values())
        if (other.id !== id && other.state === 'assigned' && other.sessionId === after.sessionId)
          throw new ConstraintViolation('desktops_one_per_session');
    this.putDesktop(after);
  }

  /** Adds a committed session as somebody's own INSERT would. @throws ConstraintViolation */
  forceSession(username: string, poolId: string): string {
    if (this.enforces('one-live-session'))
      for (const other of this.sessions.hot.values())
        if (isLive(other) && other.username === username && other.poolId === poolId)
          throw new ConstraintViolation('sessions_one_live');
    const now = this.clock.now();
    const session = newSession(this.newId(), { username, poolId, phases: [] }, now, now);
    this.sessions.put(session);
    return session.id;
  }

  putDesktop(desktop: Desktop): void {
    this.desktops.put(desktop);
    this.history.note(desktop);
  }
}
