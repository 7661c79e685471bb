import type { SessionView } from '#libs/contracts';
import type { TunnelEnd } from './tunnel-end.js';

/** What the page has of the gateway at the moment. */
export type LinkState =
  /** Nothing to connect to: the desktop is not there (yet). */
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting'; readonly attempt: number }
  | { readonly kind: 'connected' }
  /** Lost; the next attempt is at `retryAtMs` of `performance.now()`. */
  | { readonly kind: 'waiting'; readonly attempt: number; readonly retryAtMs: number; readonly end: TunnelEnd }
  /** The desktop was opened in another window, which has it now. */
  | { readonly kind: 'conflict' };

/** Whether a ticket can be had for the session as it is. */
export function isConnectable(session: SessionView | null): session is SessionView {
  return session !== null && ['ready', 'active', 'disconnected'].includes(session.state);
}

/** The one line that says why the picture stands still. */
export function wordsForLoss(end: TunnelEnd): string {
  if (end === 'replaced') return 'A clean desktop takes its place.';
  if (end === 'silent') return 'Your desktop does not answer.';
  if (end === 'refused') return 'The connection was refused.';
  return 'The connection was lost.';
}
