import type { PoolMode } from '#libs/contracts';
import type { PoolCounts } from '#libs/fleet';

/** What a pool has at this moment, and what it should have. */
export interface PoolSituation extends PoolCounts {
  readonly spares: number;
  readonly max: number;
  readonly mode: PoolMode;
}

export interface PoolPlan {
  readonly create: number;
  /** Outdated spares to give up: never more than can be spared. */
  readonly retireOutdated: number;
  /** Spares beyond the floor to give up, after the floor was lowered. */
  readonly retireSurplus: number;
}

/** What to do so that `spares` desktops are warm and everybody who is served in the pool's mode gets one. */
export function planPool(now: PoolSituation): PoolPlan {
  const waiting = { active: now.returning + now.newcomers, draining: now.returning, maintenance: 0 }[now.mode];
  const wanted = (now.mode === 'active' ? now.spares : 0) + waiting;
  const missing = Math.max(0, wanted - now.available - now.provisioning);
  const room = Math.max(0, now.max - now.existing);
  const create = Math.min(missing, room);
  // An outdated spare goes when a new one has taken its place, or when it takes the room that a new one needs.
  const covered = Math.max(0, now.available + now.outdated - wanted);
  const blocked = missing > 0 && room === 0 && now.provisioning === 0 ? 1 : 0;
  const retireOutdated = Math.min(now.outdated, Math.max(covered, blocked));
  const retireSurplus = now.outdated > 0 ? 0 : Math.max(0, now.available - wanted);
  return { create, retireOutdated, retireSurplus };
}
