import type { AuditRecord } from '#libs/audit';
import type { DesktopState, SessionState } from '#libs/contracts';
import { currentCorrelationId } from '#libs/telemetry';
import type { Desktop } from '../desktop.entity.js';
import type { Session } from '../session.entity.js';
import type { LockMode, LockTable } from './lock-table.js';
import { ConnectionLost } from './memory-errors.js';
import type { MemoryFleet } from './memory-fleet.js';
import type { SessionRequestRow, StateEventRow } from './memory-rows.js';
import { TableView } from './memory-table.js';
import { never } from './never.js';
import type { OpenTransaction } from './open-transaction.js';
import { TransactionLocks } from './transaction-locks.js';

/** `failed`: a statement was refused. `lost`: its connection is gone. `dead`: so is the process that began it. */
type TransactionState = 'open' | 'failed' | 'committed' | 'lost' | 'dead';

/** One transaction: what it wrote, for itself alone until it is committed, and its locks. */
export class MemoryTransaction implements OpenTransaction {
  readonly locks = new TransactionLocks();
  readonly desktops: TableView<Desktop>;
  readonly sessions: TableView<Session>;
  readonly requests: TableView<SessionRequestRow>;
  /** PostgreSQL's now(): when the transaction began. */
  readonly now: Date;
  private readonly events: StateEventRow[] = [];
  private readonly auditEntries: AuditRecord[] = [];
  private state: TransactionState = 'open';
  private failure: unknown;
  private last: Promise<unknown> = Promise.resolve();
  private underWay = 0;

  /** @param enter the gate of the client */
  constructor(
    readonly fleet: MemoryFleet,
    private readonly enter: (statement: string) => Promise<void>,
  ) {
    this.now = fleet.clock.now();
    this.desktops = new TableView(fleet.desktops);
    this.sessions = new TableView(fleet.sessions);
    this.requests = new TableView(fleet.sessionRequests);
    fleet.openTransactions.add(this);
  }

  /** Runs one statement after those that came before it, as a connection does. */
  run<T>(statement: string, body: () => Promise<T> | T): Promise<T> {
    const next = () => this.execute(statement, body);
    const turn = this.underWay > 0 ? this.last.then(next, next) : next();
    this.underWay += 1;
    this.last = turn;
    return turn;
  }

  /** @throws what a statement of it was refused with, whatever the caller made of that */
  async commit(): Promise<void> {
    await this.idle();
    if (this.state === 'failed') throw this.failure;
    await this.run('commit', () => this.apply());
  }

  /** Undone once the statements under way have ended; has no effect on a transaction that has ended. */
  async rollback(): Promise<void> {
    await this.idle();
    this.end('failed');
  }

  /** Undone at once, as when the connection breaks. */
  abandon(state: 'lost' | 'dead'): void {
    this.end(state, state === 'lost' ? new ConnectionLost() : undefined);
  }

  lockRow(table: LockTable, id: string, mode?: LockMode): Promise<void> | undefined {
    return this.fleet.enforces('row-locks') ? this.locks.lock(table, id, mode) : undefined;
  }

  tryLockRow(table: LockTable, id: string): boolean {
    return !this.fleet.enforces('row-locks') || this.locks.tryLock(table, id);
  }

  recordDesktopEvent(id: string, from: DesktopState | null, to: DesktopState, reason: string | null): void {
    this.recordEvent({ entity: 'desktop', entityId: id, fromState: from, toState: to, reason });
  }

  recordSessionEvent(id: string, from: SessionState | null, to: SessionState, reason: string | null): void {
    this.recordEvent({ entity: 'session', entityId: id, fromState: from, toState: to, reason });
  }

  recordAudit(entries: readonly AuditRecord[]): void {
    this.auditEntries.push(...entries);
  }

  private apply(): void {
    this.desktops.commit();
    for (const desktop of this.desktops.written.values()) this.fleet.history.note(desktop);
    this.sessions.commit();
    this.requests.commit();
    for (const event of this.events) this.fleet.stateEvents.push(event);
    for (const entry of this.auditEntries) this.fleet.auditEntries.push({ ...entry, at: this.now });
    this.end('committed');
  }

  private async idle(): Promise<void> {
    if (this.underWay > 0) await Promise.allSettled([this.last]);
  }

  private recordEvent(event: Omit<StateEventRow, 'correlationId' | 'at'>): void {
    this.events.push({ ...event, correlationId: currentCorrelationId() ?? null, at: this.fleet.clock.now() });
  }

  private async execute<T>(statement: string, body: () => Promise<T> | T): Promise<T> {
    try {
      await this.enter(statement);
      if (this.state !== 'open') await this.refuse();
    } catch (error) {
      this.end('lost');
      this.underWay -= 1;
      if (this.state === 'dead') await never();
      throw error;
    }
    try {
      const result = await body();
      if (this.state !== 'open' && this.state !== 'committed') await this.refuse();
      return result;
    } catch (error) {
      if (this.state !== 'open') await this.refuse();
      this.failure = error;
      this.end('failed');
      throw error;
    } finally {
      this.underWay -= 1;
    }
  }

  private refuse(): Promise<never> {
    if (this.state === 'dead') return never();
    if (this.state === 'lost') throw new ConnectionLost();
    throw new Error(`the transaction has ended: ${this.state}`);
  }

  private end(state: TransactionState, error?: Error): void {
    if (this.state !== 'open') return;
    this.state = state;
    this.fleet.openTransactions.delete(this);
    this.locks.releaseAll(error);
  }
}
