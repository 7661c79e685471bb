/** Injection token of `AppOptions`. */
export const APP_OPTIONS = Symbol('goldleaf.provisioner.app-options');

/** Limits of setting up the applications of a desktop, in milliseconds. */
export interface AppOptions {
  /** Until the machine has the volume of an application. */
  readonly attachTimeoutMs: number;
  /** Until its guest has merged what it was given. */
  readonly guestTimeoutMs: number;
  /** For one read of the store meanwhile. */
  readonly readTimeoutMs: number;
  /** What is attached within this time is merged together; what comes later is merged when it comes. */
  readonly togetherMs: number;
  /** Waits before what failed is tried again by itself; afterwards only when somebody asks for it. */
  readonly retryAfterMs: readonly number[];
}

/** Fit for guests without hardware virtualisation, which take seconds where others take milliseconds. */
export const defaultAppOptions: AppOptions = {
  attachTimeoutMs: 10_000,
  guestTimeoutMs: 20_000,
  readTimeoutMs: 5_000,
  togetherMs: 500,
  retryAfterMs: [60_000, 240_000, 960_000],
};
