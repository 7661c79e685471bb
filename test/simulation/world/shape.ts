import type { Random } from '../engine/random.js';

/** How large and how quick the data centre of one run is. */
export interface Shape {
  readonly pools: readonly {
    readonly spares: number;
    readonly max: number;
    readonly disconnectTimeoutMinutes: number;
  }[];
  readonly people: number;
  readonly hostMemoryMiB: number;
  readonly bootTimeMs: number;
  readonly createTimeMs: number;
  readonly destroyTimeMs: number;
  readonly reconcileIntervalMs: number;
  /** How long things may go wrong. */
  readonly faultPhaseMs: number;
  readonly thinkTimeMs: number;
}

export const DESKTOP_MEMORY_MIB = 512;
/** The golden image of all pools. */
export const IMAGE = 'office';

export function drawShape(random: Random): Shape {
  const pools = Array.from({ length: random.chance(0.3) ? 2 : 1 }, () => {
    const max = random.between(1, 8);
    return { spares: random.between(0, Math.min(3, max)), max, disconnectTimeoutMinutes: random.pick([1, 1, 2, 60]) };
  });
  return {
    pools,
    people: random.between(1, 7),
    // Some hosts are too small for all that their pools may have.
    hostMemoryMiB: 512 + DESKTOP_MEMORY_MIB * random.pick([2, 3, 5, 40]),
    bootTimeMs: random.pick([0, 100, 1_000, 5_000]),
    createTimeMs: random.pick([0, 50, 500]),
    destroyTimeMs: random.pick([0, 50, 500]),
    reconcileIntervalMs: 5_000,
    faultPhaseMs: random.between(15_000, 70_000),
    thinkTimeMs: random.pick([1_500, 4_000, 10_000]),
  };
}
