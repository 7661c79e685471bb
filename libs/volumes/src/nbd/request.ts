import { NbdProtocolError } from './nbd-protocol-error.js';
import { REQUEST_MAGIC } from './protocol.js';

export const REQUEST_BYTES = 28;

/** What a client asks, without a write's payload. */
export interface NbdRequest {
  readonly flags: number;
  readonly type: number;
  /** The client's own name for the request, as two halves: it only ever goes back. */
  readonly cookieHigh: number;
  readonly cookieLow: number;
  /** Beyond 2^53 no longer exact, and beyond every volume. */
  readonly offset: number;
  readonly length: number;
}

/** @param header REQUEST_BYTES of them. @throws NbdProtocolError */
export function decodeRequest(header: Buffer): NbdRequest {
  if (header.readUInt32BE(0) !== REQUEST_MAGIC) throw new NbdProtocolError('not an NBD request');
  return {
    flags: header.readUInt16BE(4),
    type: header.readUInt16BE(6),
    cookieHigh: header.readUInt32BE(8),
    cookieLow: header.readUInt32BE(12),
    offset: header.readUInt32BE(16) * 2 ** 32 + header.readUInt32BE(20),
    length: header.readUInt32BE(24),
  };
}
