import { OPTION_MAGIC, REQUEST_MAGIC } from './protocol.js';

/** One option as a client sends it. */
export function encodeOption(type: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(16);
  head.writeBigUInt64BE(OPTION_MAGIC, 0);
  head.writeUInt32BE(type, 8);
  head.writeUInt32BE(payload.length, 12);
  return Buffer.concat([head, payload]);
}

const text = (value: string): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(value));
  return Buffer.concat([length, Buffer.from(value)]);
};
const number = (value: number, bytes: 2 | 4): Buffer => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
};

/** The client's flags: fixed newstyle, no zeroes. */
export const clientFlags = number(3, 4);

/** The payload of NBD_OPT_GO and NBD_OPT_INFO. */
export const goPayload = (name: string, ...wanted: number[]): Buffer =>
  Buffer.concat([text(name), number(wanted.length, 2), ...wanted.map((type) => number(type, 2))]);

/** The payload of NBD_OPT_SET_META_CONTEXT and its LIST. */
export const metaPayload = (name: string, ...queries: string[]): Buffer =>
  Buffer.concat([text(name), number(queries.length, 4), ...queries.map(text)]);

/** One request of the transmission phase. */
export function encodeRequest(type: number, cookie: number, offset: number, length: number, flags = 0): Buffer {
  const bytes = Buffer.alloc(28);
  bytes.writeUInt32BE(REQUEST_MAGIC, 0);
  bytes.writeUInt16BE(flags, 4);
  bytes.writeUInt16BE(type, 6);
  bytes.writeBigUInt64BE(BigInt(cookie), 8);
  bytes.writeBigUInt64BE(BigInt(offset), 16);
  bytes.writeUInt32BE(length, 24);
  return bytes;
}
