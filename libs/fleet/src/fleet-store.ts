import type { Desktop } from './desktop.entity.js';
import type { FleetTransaction } from './fleet-transaction.js';
import type { Pool } from './pool.entity.js';
import type { Session } from './session.entity.js';

/** What a desktop's provisioner needs to know to make its machine. */
export interface ProvisioningOrder {
  readonly desktop: Desktop;
  readonly pool: Pool;
  /** Until the desktop's deadline, by the database's clock. */
  readonly remainingMs: number;
}

/** A desktop that has been in a transient state for longer than it should. */
export interface StuckDesktop {
  readonly desktop: Desktop;
  readonly isOverdue: boolean;
}

/** A session and its desktop as others are told of them. */
export interface SessionNow extends Pick<Session, 'id' | 'username' | 'state'> {
  readonly desktopId: string | null;
}

/**
 * The rows that decide who gets what. Times are those of the store, never of the caller, so that hosts whose clocks
 * differ agree. Every implementation passes `describeFleetStore`.
 *
 * The store itself refuses (the promise rejects and the transaction is undone): a second live session of a user and
 * pool, a second assigned desktop of a session, another owner of a desktop that had one, a desktop that was used or is
 * not ready among the spares, use of a desktop that was given up, and life after `deleted`.
 */
export abstract class FleetStore {
  /**
   * Runs `work` in one transaction, again when the store gave it up for a conflict, then its after-commit hooks. Other
   * transactions see all of it or nothing; what they commit meanwhile is seen by each following statement.
   */
  abstract transact<T>(work: (tx: FleetTransaction) => Promise<T>): Promise<T>;

  abstract pools(): Promise<Pool[]>;
  abstract poolsNamed(names: readonly string[]): Promise<Pool[]>;

  /** Id of the version that new desktops of the image start from. */
  abstract publishedVersion(imageId: string): Promise<string | null>;

  abstract desktops(ids: readonly string[]): Promise<Desktop[]>;

  /** All of a host that are not deleted. */
  abstract desktopsOfHost(host: string): Promise<Desktop[]>;

  /** Which of these are not deleted. */
  abstract existingDesktops(ids: readonly string[]): Promise<ReadonlySet<string>>;

  /** What is to be made: of those of these desktops that are `provisioning`. */
  abstract provisioningOrders(desktopIds: readonly string[]): Promise<ProvisioningOrder[]>;

  /**
   * Those of a host that are transient for longer than `forSeconds`, and those of any host that are `provisioning`
   * beyond their deadline: the host may be gone for good, and its pool waits for them.
   */
  abstract stuckDesktops(host: string, forSeconds: number): Promise<StuckDesktop[]>;

  /** Whether anybody waits for a desktop. */
  abstract hasWaiting(poolId: string): Promise<boolean>;

  abstract sessionsNow(ids: readonly string[]): Promise<SessionNow[]>;

  /** Which of these sessions were opened by people who are given applications. */
  abstract sessionsWithApps(ids: readonly string[]): Promise<ReadonlySet<string>>;

  /** Ids of sessions that nobody has looked at for longer than their pool allows. */
  abstract abandonedSessions(): Promise<string[]>;

  /** Ids of sessions that have waited for a desktop for longer than so many minutes. */
  abstract overdueSessions(minutes: number): Promise<string[]>;
}
