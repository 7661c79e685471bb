import type { DesktopState, PoolProfile, SessionState } from '#libs/contracts';
import { LIVE } from '#libs/fleet';

/** A desktop that waits for a profile, and the one that writes it. Times are when each was given to its session. */
export interface RoamSituation {
  readonly asker: {
    readonly desktopId: string;
    readonly desktopState: DesktopState;
    readonly assignedAtMs: number;
    readonly policy: PoolProfile;
  };
  /** Null: nobody. */
  readonly holder: {
    readonly desktopId: string;
    readonly desktopState: DesktopState;
    readonly assignedAtMs: number;
    readonly sessionState: SessionState | null;
    /** Its host was not heard of for too long. */
    readonly isSilent: boolean;
    /** IT says that its host is dead. */
    readonly isFenced: boolean;
  } | null;
}

/**
 * `free`: to be had now. `roam`: the holder's session is to be ended. `give-way`: the person went on to another desktop
 * after this one, so the asker's session is. `wait`: it is being given back. `silent`: the same, by a host that does not
 * answer. `read-only`: to be had without writing. `gone`: the asker does not want it any more.
 */
export type RoamDecision = 'free' | 'roam' | 'give-way' | 'wait' | 'silent' | 'read-only' | 'gone';

/** Of two desktops of a person, the one that they came to last has the profile. */
export function decideRoam({ asker, holder }: RoamSituation): RoamDecision {
  if (asker.desktopState !== 'assigned') return 'gone';
  if (!holder || holder.desktopId === asker.desktopId) return 'free';
  if (holder.desktopState === 'deleted' || holder.isFenced) return 'free';
  const isInUse =
    holder.desktopState === 'assigned' && holder.sessionState !== null && LIVE.includes(holder.sessionState);
  const readOnly = asker.policy.conflict === 'read-only';
  if (!isInUse) {
    if (!holder.isSilent) return 'wait';
    return readOnly ? 'read-only' : 'silent';
  }
  if (readOnly) return 'read-only';
  const isLater =
    asker.assignedAtMs > holder.assignedAtMs ||
    (asker.assignedAtMs === holder.assignedAtMs && asker.desktopId > holder.desktopId);
  return isLater ? 'roam' : 'give-way';
}
