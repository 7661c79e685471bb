import type { Session } from '#libs/fleet';
import { Violation } from './violation.js';

/** No session is lost: one ends because its user asked for it, or because it was left alone for long enough. */
export class SessionEnds {
  private readonly askedFor = new Set<string>();

  /** Before the user's wish is sent. */
  logOffAsked(sessionId: string): void {
    this.askedFor.add(sessionId);
  }

  /** @param before the row until now; @param timeoutMs what its pool allows */
  ended(before: Session | undefined, after: Session, reason: string | null, timeoutMs: number): void {
    const { id } = after;
    if (after.state === 'failed') throw new Violation('no session lost', `session ${id} has failed: ${after.failure}`);
    if (reason === 'log-off' && this.askedFor.has(id)) return;
    const idleMs = after.stateChangedAt.getTime() - (before?.stateChangedAt.getTime() ?? 0);
    const mayExpire = before?.state === 'ready' || before?.state === 'disconnected';
    if (reason === 'expired' && mayExpire && idleMs >= timeoutMs) return;
    throw new Violation(
      'no session lost',
      `session ${id} was ended (${reason}) after ${idleMs} ms as ${before?.state}`,
    );
  }
}
