/** Injection token of `ProfileOptions`. */
export const PROFILE_OPTIONS = Symbol('goldleaf.provisioner.profile-options');

/** Limits of bringing, watching and taking profiles, in milliseconds. */
export interface ProfileOptions {
  /** Until the machine has the disk of the profile: the store is asked meanwhile. */
  readonly attachTimeoutMs: number;
  /** Until its guest has checked and mounted it. */
  readonly guestOpenTimeoutMs: number;
  /** Until its guest has ended the person's programs and unmounted it; then it is taken as after a power cut. */
  readonly guestCloseTimeoutMs: number;
  /** How often guests are asked how full their profiles are. */
  readonly usageEveryMs: number;
}

/** Fit for guests without hardware virtualisation, which take seconds where others take milliseconds. */
export const defaultProfileOptions: ProfileOptions = {
  attachTimeoutMs: 20_000,
  guestOpenTimeoutMs: 60_000,
  guestCloseTimeoutMs: 25_000,
  // With the round of the reconcilers less than a minute.
  usageEveryMs: 50_000,
};
