/** Injection token of `IdentityOptions`. */
export const IDENTITY_OPTIONS = Symbol('goldleaf.identity-options');
/** Injection token of the `DirectoryProvider` that people sign in against. */
export const DIRECTORY = Symbol('goldleaf.directory');

/** How many failed attempts a key may have, and how fast they are forgotten. */
export interface AttemptLimit {
  /** Attempts that may fail at once. */
  readonly attempts: number;
  /** Time in which so many attempts are forgotten, steadily. */
  readonly windowSeconds: number;
  /** How often the window may double while the limit is hit again and again: the back-off is bounded by it. */
  readonly maxDoublings: number;
}

export interface IdentityOptions {
  /** Members of this role are IT. */
  readonly adminRole: string;
  /** Life of an API session, however much it is used. Default 12 h. */
  readonly sessionLifetimeSeconds?: number;
  /** An API session that is not used for so long has ended. Default 4 h. */
  readonly sessionIdleSeconds?: number;
  /** How old a person's roles may be before they are read from the directory again. Default 5 min. */
  readonly rolesMaxAgeSeconds?: number;
  /** Default 5 a minute, doubling four times: at worst one attempt every 192 s. */
  readonly limitPerName?: AttemptLimit;
  /** Default 100 a minute, never slower. */
  readonly limitPerAddress?: AttemptLimit;
}

export const identityDefaults = {
  sessionLifetimeSeconds: 12 * 3600,
  sessionIdleSeconds: 4 * 3600,
  rolesMaxAgeSeconds: 300,
  limitPerName: { attempts: 5, windowSeconds: 60, maxDoublings: 4 },
  limitPerAddress: { attempts: 100, windowSeconds: 60, maxDoublings: 0 },
} as const satisfies Omit<Required<IdentityOptions>, 'adminRole'>;
