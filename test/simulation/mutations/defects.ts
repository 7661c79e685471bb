import type { FleetRule } from '#libs/fleet';

/** What is broken on purpose. */
export interface Defects {
  readonly without: readonly FleetRule[];
  readonly destroysNothing: boolean;
  readonly listsEarlier: boolean;
  readonly neverStuck: boolean;
  readonly neverOrphaned: boolean;
  /** A round of serving passes over sessions that somebody else holds locked. */
  readonly skipsLockedSessions: boolean;
  readonly servesLastFirst: boolean;
  /** What should follow a commit does not. */
  readonly dropsHooks: boolean;
}
