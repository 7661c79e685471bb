export interface BackOffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Share of the delay that is random, so that a thousand browsers do not return in the same instant. */
  readonly jitter: number;
}

/**
 * The delay in milliseconds before attempt number `attempt` (0 = the first retry): doubling from `firstMs` up to
 * `maxMs`, less a random part.
 */
export function backOffMs(attempt: number, options: BackOffOptions, random: () => number = Math.random): number {
  const full = Math.min(options.maxMs, options.firstMs * 2 ** Math.min(attempt, 30));
  return Math.round(full * (1 - options.jitter * random()));
}
