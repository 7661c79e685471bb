import { info, MAX_PAYLOAD_BYTES, OPTION_REPLY_MAGIC, PREFERRED_BLOCK_BYTES, transmissionFlag } from './protocol.js';

/** One reply to a handshake option. */
export function encodeOptionReply(option: number, type: number, payload: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.allocUnsafe(20);
  head.writeBigUInt64BE(OPTION_REPLY_MAGIC, 0);
  head.writeUInt32BE(option, 8);
  head.writeUInt32BE(type, 12);
  head.writeUInt32BE(payload.length, 16);
  return Buffer.concat([head, payload]);
}

/** A 32-bit number and a text: an entry of a list of exports (its length), a meta context (its id). */
export function numberAndText(number: number, text: string): Buffer {
  const bytes = Buffer.alloc(4 + Buffer.byteLength(text));
  bytes.writeUInt32BE(number, 0);
  bytes.write(text, 4);
  return bytes;
}

/** Size and transmission flags, as both ways to open an export tell them. */
export function sizeAndFlags(sizeBytes: number, structured: boolean): Buffer {
  const bytes = Buffer.alloc(10);
  bytes.writeBigUInt64BE(BigInt(sizeBytes), 0);
  const { hasFlags, readOnly, canMultiConn, sendDf } = transmissionFlag;
  bytes.writeUInt16BE(hasFlags | readOnly | canMultiConn | (structured ? sendDf : 0), 8);
  return bytes;
}

/** The payload of one NBD_REP_INFO. */
export function infoPayload(type: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(type, 0);
  return Buffer.concat([head, payload]);
}

export function blockSizePayload(): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(1, 0);
  bytes.writeUInt32BE(PREFERRED_BLOCK_BYTES, 4);
  bytes.writeUInt32BE(MAX_PAYLOAD_BYTES, 8);
  return infoPayload(info.blockSize, bytes);
}
