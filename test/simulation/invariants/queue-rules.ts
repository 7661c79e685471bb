import type { Session } from '#libs/fleet';
import type { ModeRules } from './mode-rules.js';
import { Violation } from './violation.js';

interface Place {
  readonly poolId: string;
  readonly isNewcomer: boolean;
  readonly waitingSinceMs: number;
  readonly id: string;
  /** The step at whose end the place was committed. */
  readonly atStep: number;
}

const isAhead = (one: Place, other: Place): boolean => {
  if (one.isNewcomer !== other.isNewcomer) return other.isNewcomer;
  if (one.waitingSinceMs !== other.waitingSinceMs) return one.waitingSinceMs < other.waitingSinceMs;
  return one.id < other.id;
};

/** Nobody is passed over who was in the queue, and ahead, when those were looked up who are served. */
export class QueueRules {
  private readonly places = new Map<string, Place>();

  constructor(private readonly modes: ModeRules) {}

  /**
   * @param served sessions that one commit gave a desktop, with the step at which its transaction began to look
   * @param changed all sessions that it changed, as they are now
   */
  committed(served: ReadonlyMap<string, number>, changed: readonly Session[], step: number): void {
    const before = new Map([...served.keys()].map((id) => [id, this.places.get(id)]));
    for (const session of changed) this.keep(session, step);
    for (const [id, lookedAtStep] of served) {
      const place = before.get(id);
      if (!place) continue;
      this.modes.served(id, place.poolId, place.isNewcomer, lookedAtStep);
      this.expectNobodyAhead(place, lookedAtStep);
    }
  }

  private expectNobodyAhead(served: Place, lookedAtStep: number): void {
    const servesNewcomers = this.modes.modeSince(served.poolId, lookedAtStep) === 'active';
    for (const place of this.places.values()) {
      if (place.poolId !== served.poolId || place.atStep >= lookedAtStep || !isAhead(place, served)) continue;
      if (place.isNewcomer && !servesNewcomers) continue;
      throw new Violation('queue order', `session ${served.id} was served before ${place.id}, which was ahead of it`);
    }
  }

  private keep({ id, poolId, state, waitingSince }: Session, step: number): void {
    const known = this.places.get(id);
    if (!waitingSince) {
      if (known) this.places.delete(id);
      return;
    }
    const place = { poolId, isNewcomer: state === 'pending', waitingSinceMs: waitingSince.getTime(), id, atStep: step };
    // Only a change of place counts, not one of the window's size.
    const isSame = known?.isNewcomer === place.isNewcomer && known.waitingSinceMs === place.waitingSinceMs;
    if (!isSame) this.places.set(id, place);
  }
}
