import { LIVE, type Session, SHOWABLE } from '#libs/fleet';
import type { DesktopRules } from './desktop-rules.js';
import { Violation } from './violation.js';

/** What holds of every session at every commit. */
export class SessionRules {
  private readonly live = new Map<string, string>();

  constructor(private readonly desktops: DesktopRules) {}

  /** Call when all rows of the commit are known. */
  changed(session: Session): void {
    this.oneLive(session);
    this.hasWhatItsStateSays(session);
  }

  /** Also when only the desktop of the session has changed. */
  hasWhatItsStateSays({ id, state, waitingSince }: Session): void {
    const desktop = this.desktops.assignedOf(id);
    if (SHOWABLE.includes(state)) {
      if (!desktop) throw new Violation('ready has a desktop', `session ${id} is ${state} and has none`);
      if (waitingSince) throw new Violation('queue', `session ${id} is ${state} and still in the queue`);
      return;
    }
    if (desktop) throw new Violation('no desktop without use', `session ${id} is ${state} and keeps ${desktop}`);
    const waits = state === 'pending' || state === 'preparing';
    if (waits && !waitingSince) throw new Violation('no session lost', `session ${id} is ${state} and in no queue`);
    if (!waits && waitingSince) throw new Violation('queue', `session ${id} is ${state} and still in the queue`);
  }

  private oneLive({ id, username, poolId, state }: Session): void {
    const key = `${username} ${poolId}`;
    const other = this.live.get(key);
    if (!LIVE.includes(state) && state !== 'ending') {
      if (other === id) this.live.delete(key);
      return;
    }
    if (other !== undefined && other !== id) {
      throw new Violation('one live session', `${username} has ${other} and ${id} with one pool`);
    }
    this.live.set(key, id);
  }
}
