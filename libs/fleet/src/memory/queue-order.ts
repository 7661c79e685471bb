import type { Session } from '../session.entity.js';

/** Order of the queue: first those who lost their desktop, then by waiting time. */
export function byQueueOrder(a: Session, b: Session): number {
  const rank = Number(a.state === 'pending') - Number(b.state === 'pending');
  if (rank !== 0) return rank;
  const since = (a.waitingSince?.getTime() ?? 0) - (b.waitingSince?.getTime() ?? 0);
  if (since !== 0) return since;
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}
