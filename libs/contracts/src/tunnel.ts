import { z } from 'zod';

/**
 * Why the gateway closed a tunnel. The portal finds it in the websocket's close reason and in the message of the
 * Guacamole `error` instruction that comes before it; `parseTunnelClose` reads both.
 */
export const tunnelCloseReasonSchema = z.enum([
  /** The person's browser closed the tunnel. */
  'closed-by-browser',
  /** The session has ended (logged off, expired). */
  'session-ended',
  /** The session has another desktop now, or is about to have one: ask for a new ticket. */
  'desktop-replaced',
  /** The sign-in that the ticket was made with is no longer valid. */
  'signed-out',
  /** The same session was opened in another window; that one has the desktop now. */
  'opened-elsewhere',
  /** The desktop's display refused the connection or the password. */
  'desktop-refused',
  /** The desktop's display ended the connection. */
  'desktop-closed',
  /** Nothing came from the desktop for too long. */
  'desktop-silent',
  /** The display was connected but never drew a frame. */
  'desktop-never-drew',
  /** The display's stream was not valid. */
  'desktop-protocol',
  /** guacd does not answer. */
  'guacd-unavailable',
  /** The browser sent something that is no valid input. */
  'browser-protocol',
  /** The browser took nothing for too long. */
  'browser-stalled',
  /** The browser is no longer there. */
  'browser-gone',
  /** The gateway is being stopped or restarted: reconnect. */
  'gateway-stopping',
  /** Something went wrong in the gateway. */
  'gateway-error',
]);
export type TunnelCloseReason = z.infer<typeof tunnelCloseReasonSchema>;

/** Finds the reason in `519 desktop-silent: The desktop ...` (close reason) or `desktop-silent: ...` (error message). */
export function parseTunnelClose(text: string | undefined): TunnelCloseReason | undefined {
  const word = /^(?:\d+ )?([a-z-]+)(?::|$)/.exec(text ?? '')?.[1];
  return tunnelCloseReasonSchema.safeParse(word).data;
}
