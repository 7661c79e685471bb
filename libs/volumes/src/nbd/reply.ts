import {
  allocation,
  CHUNK_DONE,
  chunkType,
  type NbdErrno,
  nbdErrno,
  SIMPLE_REPLY_MAGIC,
  STRUCTURED_REPLY_MAGIC,
} from './protocol.js';
import type { NbdRequest } from './request.js';

type Cookie = Pick<NbdRequest, 'cookieHigh' | 'cookieLow'>;

const SIMPLE_BYTES = 16;
const CHUNK_BYTES = 20;

/** The reply to anything when the client knows no structured replies; a read's bytes follow it. */
export function simpleReply(to: Cookie, error?: NbdErrno): Buffer {
  const reply = Buffer.allocUnsafe(SIMPLE_BYTES);
  reply.writeUInt32BE(SIMPLE_REPLY_MAGIC, 0);
  reply.writeUInt32BE(error ? nbdErrno[error] : 0, 4);
  reply.writeUInt32BE(to.cookieHigh, 8);
  reply.writeUInt32BE(to.cookieLow, 12);
  return reply;
}

/** @param followingBytes of the payload that are sent after the buffer, not in it */
function chunk(to: Cookie, type: number, isLast: boolean, payloadBytes: number, followingBytes = 0): Buffer {
  const bytes = Buffer.allocUnsafe(CHUNK_BYTES + payloadBytes);
  bytes.writeUInt32BE(STRUCTURED_REPLY_MAGIC, 0);
  bytes.writeUInt16BE(isLast ? CHUNK_DONE : 0, 4);
  bytes.writeUInt16BE(type, 6);
  bytes.writeUInt32BE(to.cookieHigh, 8);
  bytes.writeUInt32BE(to.cookieLow, 12);
  bytes.writeUInt32BE(payloadBytes + followingBytes, 16);
  return bytes;
}

function writeOffset(bytes: Buffer, offset: number, at: number): void {
  bytes.writeUInt32BE(Math.floor(offset / 2 ** 32), at);
  bytes.writeUInt32BE(offset % 2 ** 32, at + 4);
}

/** The whole answer: done, and nothing to say. */
export const noneChunk = (to: Cookie): Buffer => chunk(to, chunkType.none, true, 0);

/** What goes before `length` bytes of data. */
export function dataChunkHead(to: Cookie, isLast: boolean, offset: number, length: number): Buffer {
  const bytes = chunk(to, chunkType.offsetData, isLast, 8, length);
  writeOffset(bytes, offset, CHUNK_BYTES);
  return bytes;
}

/** So many zeros, without sending them. */
export function holeChunk(to: Cookie, isLast: boolean, offset: number, length: number): Buffer {
  const bytes = chunk(to, chunkType.offsetHole, isLast, 12);
  writeOffset(bytes, offset, CHUNK_BYTES);
  bytes.writeUInt32BE(length, CHUNK_BYTES + 8);
  return bytes;
}

/** @param offset of a read that failed; without it the whole request did */
export function errorChunk(to: Cookie, error: NbdErrno, message: string, offset?: number): Buffer {
  const text = Buffer.from(message, 'utf8').subarray(0, 255);
  const type = offset === undefined ? chunkType.error : chunkType.errorOffset;
  const bytes = chunk(to, type, true, 6 + text.length + (offset === undefined ? 0 : 8));
  bytes.writeUInt32BE(nbdErrno[error], CHUNK_BYTES);
  bytes.writeUInt16BE(text.length, CHUNK_BYTES + 4);
  text.copy(bytes, CHUNK_BYTES + 6);
  if (offset !== undefined) writeOffset(bytes, offset, CHUNK_BYTES + 6 + text.length);
  return bytes;
}

/** What of a range is a hole, for the context that the client chose. */
export function blockStatusChunk(
  to: Cookie,
  contextId: number,
  extents: readonly { readonly length: number; readonly isHole: boolean }[],
): Buffer {
  const bytes = chunk(to, chunkType.blockStatus, true, 4 + 8 * extents.length);
  bytes.writeUInt32BE(contextId, CHUNK_BYTES);
  let at = CHUNK_BYTES + 4;
  for (const { length, isHole } of extents) {
    bytes.writeUInt32BE(length, at);
    bytes.writeUInt32BE(isHole ? allocation.hole | allocation.zero : 0, at + 4);
    at += 8;
  }
  return bytes;
}
