import type { AuditRecord } from '#libs/audit';
import type {
  DesktopState,
  DisplaySize,
  LogonPhase,
  PoolProfile,
  PreparingReason,
  ProfileOutcome,
  SessionState,
} from '#libs/contracts';
import type { Logon } from '#libs/profiles';
import type { Desktop } from './desktop.entity.js';
import type { Host } from './host.entity.js';
import type { Pool } from './pool.entity.js';
import type { Session } from './session.entity.js';

export interface PoolCounts {
  /** Being made from the given image version. */
  readonly provisioning: number;
  /** Spares of the given image version, on hosts that are online and not draining. */
  readonly available: number;
  /** The other spares: they are to be replaced. */
  readonly outdated: number;
  /** All desktops that are not deleted. */
  readonly existing: number;
  /** Sessions in the queue that lost their desktop. */
  readonly returning: number;
  /** Sessions in the queue that never had one. */
  readonly newcomers: number;
}

/** Failures to make a desktop since one was last made. */
export interface RecentFailures {
  readonly count: number;
  /** Since the latest of them; null without any. */
  readonly sinceSeconds: number | null;
}

export interface HostSituation
  extends Pick<Host, 'name' | 'mode' | 'vcpus' | 'availableMemoryMib' | 'availableDiskMib'> {
  readonly online: boolean;
  /** Desktops of this host that exist. */
  readonly desktops: number;
  /** Of these, being made now: they do not show in what the host reported as available. */
  readonly provisioning: number;
  readonly provisioningMemoryMib: number;
}

export interface DesktopOrder {
  readonly poolId: string;
  readonly imageVersionId: string;
  readonly deadlineSeconds: number;
  /** One desktop for each entry. */
  readonly hosts: readonly string[];
}

export interface DesktopChange {
  /** Null ends the deadline; it is kept when absent. */
  readonly deadlineSeconds?: number | null;
  readonly display?: { readonly host: string; readonly port: number; readonly sealedPassword: string };
  readonly start?: { readonly method: 'fork' | 'boot'; readonly durationMs: number };
  readonly reason?: string;
}

export interface DesktopMove {
  readonly id: string;
  /** The states that the desktop may be in now. */
  readonly from: readonly DesktopState[];
  readonly to: DesktopState;
  /** Of the event row; that of the caller when absent. */
  readonly correlationId?: string | undefined;
  readonly change?: DesktopChange;
}

export interface ClaimedSpare {
  readonly sessionId: string;
  readonly desktopId: string;
  readonly host: string;
}

export interface SessionOwnership {
  readonly username: string;
  readonly poolId: string;
}

export interface LiveSession extends SessionOwnership {
  readonly id: string;
}

/** An Idempotency-Key, which belongs to its user. */
export interface SessionRequestKey {
  readonly username: string;
  readonly key: string;
}

export interface SessionRequest extends SessionRequestKey, SessionOwnership {
  readonly sessionId: string;
}

export interface NewSession extends SessionOwnership {
  readonly phases: readonly LogonPhase[];
  readonly display?: DisplaySize | undefined;
  /** Of the event row; that of the caller when absent. */
  readonly correlationId?: string | undefined;
}

export interface SessionMove {
  readonly id: string;
  /** The state it is in now, then those that it goes through, each with an event of its own; alone: it stays there. */
  readonly path: readonly [SessionState, ...SessionState[]];
  /** Of the event rows; that of the caller when absent. */
  readonly correlationId?: string | undefined;
  readonly reason?: string;
  readonly phases?: readonly LogonPhase[];
  /** `join`: it waits for a desktop from now on. `leave`: it waits no more. */
  readonly queue?: 'join' | 'leave';
  readonly preparingReason?: PreparingReason;
  readonly failure?: string;
}

/** A desktop that was given to a session of a pool with profiles. */
export interface NewSessionProfile {
  readonly desktopId: string;
  readonly sessionId: string;
  /** As the pool has it now. */
  readonly policy: PoolProfile;
}

/** What a person wants of their profile when they log off. */
export interface ProfileChoice {
  readonly sessionId: string;
  readonly outcome: ProfileOutcome;
}

/** One transaction of a `FleetStore`. Rows that were locked stay locked until its end. */
export interface FleetTransaction {
  /** One plan at a time for a pool. */
  lockPlan(poolId: string): Promise<void>;
  /** One plan at a time chooses hosts, or two pools would both count on the same room. Always after `lockPlan`. */
  lockHosts(): Promise<void>;
  /** One round of serving at a time for a pool: the queue keeps its order. @returns the pool as it is then */
  lockQueue(poolId: string): Promise<Pool | null>;

  pool(id: string): Promise<Pool | null>;
  publishedVersion(imageId: string): Promise<string | null>;
  counts(poolId: string, imageVersionId: string): Promise<PoolCounts>;
  recentFailures(poolId: string): Promise<RecentFailures>;
  hosts(): Promise<HostSituation[]>;

  addDesktops(order: DesktopOrder): Promise<{ readonly id: string; readonly host: string }[]>;
  /** @returns ids of those that were in one of the states of `from`; with the others somebody else was first */
  moveDesktops(moves: readonly DesktopMove[]): Promise<ReadonlySet<string>>;
  /** Spares that nobody else has locked, longest ready first: those that `counts` calls available, or outdated. */
  lockSpares(
    poolId: string,
    imageVersionId: string,
    which: 'available' | 'outdated',
    limit: number,
  ): Promise<{ readonly id: string; readonly host: string }[]>;
  /**
   * Gives spares to sessions, in the order of the sessions, newest image version first, those of hosts that
   * are draining or offline last, none of hosts that IT has given up. @returns fewer than asked for when there are fewer spares
   */
  claimSpares(poolId: string, sessionIds: readonly string[]): Promise<ClaimedSpare[]>;
  /** The desktops that these sessions have now. */
  assignedDesktops(sessionIds: readonly string[]): Promise<Desktop[]>;

  /** @returns those that were added; a user who has a live session with the pool gets no second one */
  addSessions(sessions: readonly NewSession[]): Promise<LiveSession[]>;
  /** Stores what the people who open these sessions are given by their roles; desktops get it with the session. */
  recordLogons(logons: readonly Logon[]): Promise<void>;
  liveSessions(owners: readonly SessionOwnership[]): Promise<LiveSession[]>;
  /** Locks in the order of the queue, as `lockWaiting` does. */
  lockSessions(ids: readonly string[]): Promise<Session[]>;
  /** The first of the queue: those who lost their desktop, then the others, each by waiting time. */
  lockWaiting(poolId: string, limit: number, who: 'all' | 'returning'): Promise<Session[]>;
  /** The first of the queue, unlocked. */
  queue(poolId: string, limit: number): Promise<Pick<Session, 'id' | 'username'>[]>;
  /** @throws Error when a session is not in the first state of its path */
  moveSessions(moves: readonly SessionMove[]): Promise<void>;
  setDisplay(sessionId: string, size: DisplaySize): Promise<void>;

  /** The profile is to be brought to these desktops. */
  addSessionProfiles(profiles: readonly NewSessionProfile[]): Promise<void>;
  /**
   * Stores what people chose for all desktops that their locked sessions had, the last of which says whether they may;
   * without a profile there is nothing to choose and any choice is right. @returns ids of the sessions whose pool says
   * otherwise
   */
  chooseProfileOutcomes(choices: readonly ProfileChoice[]): Promise<ReadonlySet<string>>;

  /** The requests of before that had these keys. */
  sessionRequests(keys: readonly SessionRequestKey[]): Promise<SessionRequest[]>;
  /** One that is there already stays as it is. @returns how many were added */
  addSessionRequests(requests: readonly SessionRequest[]): Promise<number>;

  audit(entries: readonly AuditRecord[]): Promise<void>;

  /**
   * Runs `hook` once the transaction is committed, never before and not at all after a rollback. Hooks are hints (a
   * job, an event): one that fails is dropped, as the reconcilers find from the rows what was missed.
   */
  afterCommit(hook: () => Promise<void> | void): void;
}
