import type { TunnelCloseReason } from '#libs/contracts';
import { guacamoleStatus as status } from './guacamole-status.js';

/** How the end of a tunnel is told to the browser. */
export interface TunnelClose {
  readonly reason: TunnelCloseReason;
  /** Code of the Guacamole `error` instruction; 0 when none is sent. */
  readonly status: number;
  readonly webSocketCode: number;
  /** One sentence for the person. */
  readonly sentence: string;
}

const NORMAL = 1000;
const PROTOCOL_ERROR = 1002;
const POLICY = 1008;
const INTERNAL_ERROR = 1011;
const RESTART = 1012;
const TRY_AGAIN = 1013;
const BAD_GATEWAY = 1014;

const table: Record<TunnelCloseReason, readonly [status: number, webSocketCode: number, sentence: string]> = {
  'closed-by-browser': [status.success, NORMAL, 'The browser closed the connection.'],
  'session-ended': [status.sessionClosed, NORMAL, 'The session has ended.'],
  'desktop-replaced': [status.resourceClosed, RESTART, 'A clean desktop takes the place of this one.'],
  'signed-out': [status.clientUnauthorized, POLICY, 'You have signed out.'],
  'opened-elsewhere': [status.sessionConflict, POLICY, 'This desktop was opened in another window.'],
  'desktop-refused': [status.upstreamNotFound, BAD_GATEWAY, 'The desktop refused the connection.'],
  'desktop-closed': [status.upstreamError, BAD_GATEWAY, 'The desktop ended the connection.'],
  'desktop-silent': [status.upstreamTimeout, BAD_GATEWAY, 'The desktop stopped answering.'],
  'desktop-never-drew': [status.upstreamTimeout, BAD_GATEWAY, 'The desktop did not draw a picture in time.'],
  'desktop-protocol': [status.upstreamError, BAD_GATEWAY, 'The desktop sent something that is not valid.'],
  'guacd-unavailable': [status.upstreamUnavailable, TRY_AGAIN, 'The display service does not answer.'],
  'browser-protocol': [status.clientBadRequest, PROTOCOL_ERROR, 'The browser sent something that is not valid.'],
  'browser-stalled': [status.clientTimeout, POLICY, 'The browser stopped taking the picture.'],
  'browser-gone': [status.clientTimeout, POLICY, 'The browser stopped answering.'],
  'gateway-stopping': [status.upstreamUnavailable, RESTART, 'The gateway is restarting.'],
  'gateway-error': [status.serverError, INTERNAL_ERROR, 'Something went wrong on our side.'],
};

/** Codes, status and words that go with a reason. */
export function tunnelClose(reason: TunnelCloseReason): TunnelClose {
  const [code, webSocketCode, sentence] = table[reason];
  return { reason, status: code, webSocketCode, sentence };
}

/** The message of the Guacamole `error` instruction. */
export const errorMessage = (close: TunnelClose): string => `${close.reason}: ${close.sentence}`;

/**
 * The websocket's close reason, at most 123 bytes. It begins with the Guacamole status because guacamole-common-js
 * reads a number from it.
 */
export const closeFrameReason = (close: TunnelClose): string => `${close.status} ${errorMessage(close)}`;

/** The reason that stands for an `error` instruction of guacd. */
export function reasonOfGuacdStatus(code: number): TunnelCloseReason {
  if (code === status.upstreamNotFound || code === status.clientUnauthorized) return 'desktop-refused';
  if (code === status.upstreamTimeout) return 'desktop-silent';
  if (code === status.clientTimeout) return 'browser-stalled';
  return 'desktop-closed';
}
