import type { Desktop } from '../desktop.entity.js';
import { FleetStore, type ProvisioningOrder, type SessionNow, type StuckDesktop } from '../fleet-store.js';
import type { FleetTransaction } from '../fleet-transaction.js';
import type { Pool } from '../pool.entity.js';
import { DeadlockDetected } from './memory-errors.js';
import type { MemoryFleet } from './memory-fleet.js';
import { MemoryFleetTransaction } from './memory-fleet-transaction.js';
import * as queries from './memory-queries.js';
import { MemoryTransaction } from './memory-transaction.js';
import { never } from './never.js';

/**
 * Awaited before each statement, with the name of the method, `begin` or `commit`, and once more, as `committed`, when
 * a commit has been applied. One that rejects is a lost connection: the statement did not happen, the transaction is
 * undone and the caller gets the error; at `committed` the transaction is done and only its answer is lost.
 */
export type Gate = (statement: string) => Promise<void>;

/** As `transact` of libs/database. */
const MAX_ATTEMPTS = 4;

/** One client of a `MemoryFleet`, with a connection for each of its transactions. */
export class MemoryFleetStore extends FleetStore {
  private readonly transactions = new Set<MemoryTransaction>();
  private isDead = false;

  constructor(
    private readonly fleet: MemoryFleet,
    private readonly gate: Gate = async () => undefined,
  ) {
    super();
  }

  /** The client has died: its transactions are undone, and nothing that it waits for ever ends. */
  disconnect(): void {
    this.isDead = true;
    this.abandonAll('dead');
  }

  /** The connections of its open transactions break: these are undone and their statements rejected. */
  dropConnections(): void {
    this.abandonAll('lost');
  }

  async transact<T>(work: (tx: FleetTransaction) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.attempt(work);
      } catch (error) {
        if (attempt >= MAX_ATTEMPTS || !(error instanceof DeadlockDetected)) throw error;
      }
    }
  }

  pools = (): Promise<Pool[]> => this.read('pools', queries.pools);
  poolsNamed = (names: readonly string[]): Promise<Pool[]> =>
    this.read('poolsNamed', (fleet) => queries.poolsNamed(fleet, names));
  publishedVersion = (imageId: string): Promise<string | null> =>
    this.read('publishedVersion', (fleet) => queries.publishedVersion(fleet, imageId));
  desktops = (ids: readonly string[]): Promise<Desktop[]> =>
    this.read('desktops', (fleet) => queries.desktops(fleet, ids));
  desktopsOfHost = (host: string): Promise<Desktop[]> =>
    this.read('desktopsOfHost', (fleet) => queries.desktopsOfHost(fleet, host));
  existingDesktops = (ids: readonly string[]): Promise<ReadonlySet<string>> =>
    this.read('existingDesktops', (fleet) => queries.existingDesktops(fleet, ids));
  provisioningOrders = (ids: readonly string[]): Promise<ProvisioningOrder[]> =>
    this.read('provisioningOrders', (fleet) => queries.provisioningOrders(fleet, ids));
  stuckDesktops = (host: string, forSeconds: number): Promise<StuckDesktop[]> =>
    this.read('stuckDesktops', (fleet) => queries.stuckDesktops(fleet, host, forSeconds));
  hasWaiting = (poolId: string): Promise<boolean> =>
    this.read('hasWaiting', (fleet) => queries.hasWaiting(fleet, poolId));
  sessionsNow = (ids: readonly string[]): Promise<SessionNow[]> =>
    this.read('sessionsNow', (fleet) => queries.sessionsNow(fleet, ids));
  /** The model knows no applications: nobody is given any. */
  sessionsWithApps = async (): Promise<ReadonlySet<string>> => new Set<string>();
  abandonedSessions = (): Promise<string[]> => this.read('abandonedSessions', queries.abandonedSessions);
  overdueSessions = (minutes: number): Promise<string[]> =>
    this.read('overdueSessions', (fleet) => queries.overdueSessions(fleet, minutes));

  private async attempt<T>(work: (tx: FleetTransaction) => Promise<T>): Promise<T> {
    await this.pass('begin');
    const tx = new MemoryTransaction(this.fleet, this.enter);
    this.transactions.add(tx);
    const hooks: (() => Promise<void> | void)[] = [];
    let result: T;
    try {
      result = await work(new MemoryFleetTransaction(tx, hooks));
      await tx.commit();
    } catch (error) {
      await tx.rollback();
      throw error;
    } finally {
      this.transactions.delete(tx);
    }
    await this.pass('committed');
    await Promise.allSettled(hooks.map(async (hook) => hook()));
    return result;
  }

  private async read<T>(statement: string, query: (fleet: MemoryFleet) => T): Promise<T> {
    await this.pass(statement);
    return query(this.fleet);
  }

  private readonly enter: Gate = (statement) => (this.isDead ? never() : this.gate(statement));

  private async pass(statement: string): Promise<void> {
    try {
      await this.enter(statement);
    } finally {
      if (this.isDead) await never();
    }
  }

  private abandonAll(state: 'lost' | 'dead'): void {
    for (const tx of this.transactions) tx.abandon(state);
    this.transactions.clear();
  }
}
