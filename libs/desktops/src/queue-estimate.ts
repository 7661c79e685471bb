/** What is known of a pool at this moment. Durations in seconds, null where nothing has been measured yet. */
export interface QueueSituation {
  /** 1 for the next one to be served. */
  readonly position: number;
  /** Desktops being made, and how long the oldest of them has been. */
  readonly provisioning: number;
  readonly oldestProvisioningSeconds: number | null;
  /** From the order of a desktop to its being available, mean of the latest ones. */
  readonly meanProvisioningSeconds: number | null;
  /** Between two desktops that people gave back, mean of the latest ones. */
  readonly meanReleaseSeconds: number | null;
}

/**
 * How long a person still waits: those for whom a desktop is being made, until it is made; those beyond, until people
 * ahead of them give theirs back.
 * @returns seconds, at least 1; null when it cannot be said
 */
export function estimateWait(now: QueueSituation): number | null {
  const { meanProvisioningSeconds: making, meanReleaseSeconds: release } = now;
  if (making === null) return null;
  const untilMade = Math.max(1, making - (now.provisioning > 0 ? (now.oldestProvisioningSeconds ?? 0) : 0));
  const beyond = now.position - now.provisioning;
  if (beyond <= 0) return Math.ceil(untilMade);
  // Nothing is being made because the pool is full, or the order is on its way.
  if (release === null) return now.provisioning === 0 && now.position === 1 ? Math.ceil(making) : null;
  return Math.ceil(untilMade + beyond * release);
}
