import type { RefillEvent } from '#libs/desktops';

export interface Refill {
  readonly seconds: number;
  /** Where the first of the desktops ordered is made. */
  readonly host: string;
}

/** An assignment that is followed by no order within this time needed none. */
const FORGOTTEN_AFTER_MS = 60_000;

/**
 * Finds, for assignments, the order of the desktop that replaces them: the first that follows with the same correlation
 * id, which the job carries that the assignment adds. Of several assignments that one order follows the oldest counts.
 */
export class RefillTimes {
  private readonly assignedAtMs = new Map<string, number>();

  /** @param events in the order in which they happened */
  take(events: readonly RefillEvent[]): Refill[] {
    const refills = events.flatMap((event) => this.takeOne(event));
    this.forget(events.at(-1)?.atMs ?? 0);
    return refills;
  }

  private takeOne({ kind, correlationId, atMs, host }: RefillEvent): Refill[] {
    const assignedAtMs = this.assignedAtMs.get(correlationId);
    if (kind === 'assigned') {
      if (assignedAtMs === undefined) this.assignedAtMs.set(correlationId, atMs);
      return [];
    }
    if (assignedAtMs === undefined) return [];
    this.assignedAtMs.delete(correlationId);
    return [{ seconds: Math.max(0, atMs - assignedAtMs) / 1_000, host }];
  }

  private forget(nowMs: number): void {
    for (const [correlationId, atMs] of this.assignedAtMs) {
      if (atMs < nowMs - FORGOTTEN_AFTER_MS) this.assignedAtMs.delete(correlationId);
    }
  }
}
