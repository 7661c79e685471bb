/** Numbers of the NBD protocol (fixed newstyle), by the names of its specification. */

export const INIT_PASSWORD = 0x4e42444d41474943n;
export const OPTION_MAGIC = 0x49484156454f5054n;
export const OPTION_REPLY_MAGIC = 0x0003e889045565a9n;
export const REQUEST_MAGIC = 0x25609513;
export const SIMPLE_REPLY_MAGIC = 0x67446698;
export const STRUCTURED_REPLY_MAGIC = 0x668e33ef;

export const handshakeFlag = { fixedNewstyle: 1, noZeroes: 2 } as const;

export const transmissionFlag = {
  hasFlags: 1 << 0,
  readOnly: 1 << 1,
  sendDf: 1 << 7,
  canMultiConn: 1 << 8,
} as const;

export const option = {
  exportName: 1,
  abort: 2,
  list: 3,
  info: 6,
  go: 7,
  structuredReply: 8,
  listMetaContext: 9,
  setMetaContext: 10,
} as const;

const optionError = (number: number): number => 2 ** 31 + number;

export const optionReply = {
  ack: 1,
  server: 2,
  info: 3,
  metaContext: 4,
  unsupported: optionError(1),
  invalid: optionError(3),
  unknownExport: optionError(6),
  tooBig: optionError(9),
} as const;

export const info = { export: 0, name: 1, description: 2, blockSize: 3 } as const;

export const command = { read: 0, write: 1, disconnect: 2, flush: 3, trim: 4, writeZeroes: 6, blockStatus: 7 } as const;

export const commandFlag = { dontFragment: 1 << 2, requestOne: 1 << 3 } as const;

export const chunkType = {
  none: 0,
  offsetData: 1,
  offsetHole: 2,
  blockStatus: 5,
  error: 2 ** 15 + 1,
  errorOffset: 2 ** 15 + 2,
} as const;

export const CHUNK_DONE = 1;

/** States of `base:allocation`. */
export const allocation = { hole: 1, zero: 2 } as const;

/** The protocol has numbers for these only: a client takes any other for EINVAL. */
export const nbdErrno = { EPERM: 1, EIO: 5, EINVAL: 22 } as const;
export type NbdErrno = keyof typeof nbdErrno;

export const ALLOCATION_CONTEXT = 'base:allocation';
/** The specification's bound for every string. */
export const MAX_STRING_BYTES = 4096;
/** What a client that asks for no block sizes may read at once, so what all may. */
export const MAX_PAYLOAD_BYTES = 32 << 20;
export const PREFERRED_BLOCK_BYTES = 4096;
