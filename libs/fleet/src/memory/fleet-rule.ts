/** What the database itself enforces. Tests switch one off to see that it is missed. */
export type FleetRule =
  /** Unique index `sessions_one_live`. */
  | 'one-live-session'
  /** Unique index `desktops_one_per_session`. */
  | 'one-desktop-per-session'
  /** Primary key of `session_requests`. */
  | 'one-session-per-request'
  /** Trigger `desktops_keep_owner`, its first half. */
  | 'one-owner'
  /** Trigger `desktops_keep_owner`, its second half. */
  | 'deleted-stays-deleted'
  /** Trigger `desktops_keep_ending`. */
  | 'given-up-ends'
  /** CHECK: a spare has never had a user. */
  | 'spares-unused'
  /** CHECK: an assigned desktop has a user. */
  | 'assigned-has-owner'
  /** CHECK: a spare and an assigned desktop have a display. */
  | 'ready-has-display'
  | 'foreign-keys'
  /** FOR UPDATE, SKIP LOCKED and the lock that UPDATE takes: without them the last writer of a row wins. */
  | 'row-locks'
  /** What `lockQueue` does. */
  | 'queue-lock'
  /** What `lockPlan` does. */
  | 'plan-lock'
  /** `moveDesktop` and `moveSessions` move from whatever state there is. */
  | 'moves-check-state';
