import type { NewSession } from '../fleet-transaction.js';
import type { Session } from '../session.entity.js';

/** Whether it counts for `sessions_one_live`. */
export const isLive = (session: Session) => session.state !== 'ended' && session.state !== 'failed';

export function newSession(
  id: string,
  { username, poolId, phases, display }: NewSession,
  at: Date,
  waitingSince: Date,
) {
  const session: Session = {
    id,
    username,
    poolId,
    state: 'pending',
    stateChangedAt: at,
    waitingSince,
    preparingReason: 'logon',
    failure: null,
    phases: [...phases],
    displayWidth: display?.width ?? null,
    displayHeight: display?.height ?? null,
    createdAt: at,
  };
  return session;
}
