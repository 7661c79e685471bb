/** What a pool has at this moment. */
export interface PoolSituation {
  readonly spares: number;
  readonly max: number;
  /** Being made from the present image version. */
  readonly provisioning: number;
  /** Spares of the present image version. */
  readonly available: number;
  /** Spares of an older image version. */
  readonly outdated: number;
  /** All desktops that exist, whatever their state. */
  readonly existing: number;
  /** Sessions without a desktop. */
  readonly waiting: number;
}

export interface PoolPlan {
  readonly create: number;
  /** Spares of an older image version to give up: never more than can be spared. */
  readonly retireOutdated: number;
  /** Spares beyond the floor to give up, after the floor was lowered. */
  readonly retireSurplus: number;
}

/** What to do so that `spares` desktops are warm and everybody who waits gets one. */
export function planPool(now: PoolSituation): PoolPlan {
  const wanted = now.spares + now.waiting;
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
