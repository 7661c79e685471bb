import type { Random } from '../engine/random.js';

/** How often what goes wrong in one run. Rates are probabilities of one call or step, `...EveryMs` mean times. */
export interface FaultPlan {
  readonly driverError: number;
  readonly driverHang: number;
  /** The driver did it, the answer was lost. */
  readonly driverReplyLost: number;
  readonly statementLost: number;
  /** Committed, but the client saw the connection break. */
  readonly commitReplyLost: number;
  readonly jobLost: number;
  readonly jobDoubled: number;
  readonly jobLate: number;
  /** A process ends at a step. */
  readonly crash: number;
  readonly machineEndsEveryMs: number;
  readonly hostRestartsEveryMs: number;
  readonly redisLeavesEveryMs: number;
  readonly databaseRestartsEveryMs: number;
  readonly clockJumpsEveryMs: number;
  readonly pauseEveryMs: number;
  readonly jobStallsEveryMs: number;
  readonly operatorActsEveryMs: number;
}

type Kind = keyof FaultPlan;

/** Least and most of what is drawn when a kind occurs in a run. */
const ranges: Readonly<Record<Kind, readonly [number, number]>> = {
  driverError: [0.01, 0.5],
  driverHang: [0.01, 0.3],
  driverReplyLost: [0.01, 0.3],
  statementLost: [0.0005, 0.03],
  commitReplyLost: [0.002, 0.1],
  jobLost: [0.02, 0.6],
  jobDoubled: [0.02, 0.5],
  jobLate: [0.02, 0.5],
  crash: [0.0002, 0.005],
  machineEndsEveryMs: [2_000, 30_000],
  hostRestartsEveryMs: [15_000, 90_000],
  redisLeavesEveryMs: [10_000, 60_000],
  databaseRestartsEveryMs: [10_000, 60_000],
  clockJumpsEveryMs: [5_000, 60_000],
  pauseEveryMs: [5_000, 60_000],
  jobStallsEveryMs: [1_000, 30_000],
  operatorActsEveryMs: [3_000, 60_000],
};

const kinds = Object.keys(ranges) as Kind[];

/** Draws a plan: in some runs nothing goes wrong, in some a few things do, in some nearly everything. */
export function drawFaultPlan(random: Random): FaultPlan {
  const share = random.pick([0, 0.1, 0.2, 0.35, 0.5, 0.8]);
  const drawn = kinds.map((kind) => {
    const [least, most] = ranges[kind];
    return [kind, random.chance(share) ? random.magnitude(least, most) : 0] as const;
  });
  return Object.fromEntries(drawn) as unknown as FaultPlan;
}

export const noFaults = Object.fromEntries(kinds.map((kind) => [kind, 0])) as unknown as FaultPlan;
