import { clientFlags, encodeOption, goPayload, metaPayload } from './client-messages.js';
import type { ClientSocket } from './client-socket.js';
import { NbdClientError } from './nbd-client-error.js';
import {
  handshakeFlag,
  INIT_PASSWORD,
  info,
  MAX_PAYLOAD_BYTES,
  OPTION_MAGIC,
  OPTION_REPLY_MAGIC,
  option,
  optionReply,
} from './protocol.js';

export interface OpenedExport {
  readonly sizeBytes: number;
  /** The longest read that the server takes. */
  readonly maxReadBytes: number;
  /** The ids that the server gave the meta contexts, by name. */
  readonly contextIds: ReadonlyMap<string, number>;
}

interface OptionReply {
  readonly type: number;
  readonly payload: Buffer;
}

const MAX_REPLY_BYTES = 64 << 10;
const MAX_REPLIES = 64;
const ERROR_BIT = 2 ** 31;

/** Opens an export with structured replies and these meta contexts. @throws NbdClientError 'refused' | 'protocol' | 'closed' */
export async function clientHandshake(
  socket: ClientSocket,
  exportName: string,
  metaContexts: readonly string[],
): Promise<OpenedExport> {
  const hello = await socket.take(18);
  const flags = hello.readUInt16BE(16);
  const isNewstyle = hello.readBigUInt64BE(0) === INIT_PASSWORD && hello.readBigUInt64BE(8) === OPTION_MAGIC;
  const wanted = handshakeFlag.fixedNewstyle | handshakeFlag.noZeroes;
  if (!isNewstyle || (flags & wanted) !== wanted) throw protocol('it is not a server of the fixed newstyle protocol');
  socket.send(clientFlags);
  await negotiate(socket, option.structuredReply, Buffer.alloc(0));
  const contextIds = await metaContextIds(socket, exportName, metaContexts);
  const replies = await negotiate(socket, option.go, goPayload(exportName));
  return { ...exportFacts(replies), contextIds };
}

async function metaContextIds(
  socket: ClientSocket,
  exportName: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const ids = new Map<string, number>();
  if (names.length === 0) return ids;
  for (const { type, payload } of await negotiate(socket, option.setMetaContext, metaPayload(exportName, ...names))) {
    if (type !== optionReply.metaContext || payload.length < 4) throw protocol('its answer names no meta context');
    ids.set(payload.toString('utf8', 4), payload.readUInt32BE(0));
  }
  const missing = names.find((name) => !ids.has(name));
  if (missing !== undefined) throw new NbdClientError('refused', `the NBD export has no meta context ${missing}`);
  return ids;
}

/** What was said before the acknowledgement. */
async function negotiate(socket: ClientSocket, type: number, payload: Buffer): Promise<OptionReply[]> {
  socket.send(encodeOption(type, payload));
  const replies: OptionReply[] = [];
  for (;;) {
    const head = await socket.take(20);
    if (head.readBigUInt64BE(0) !== OPTION_REPLY_MAGIC || head.readUInt32BE(8) !== type) {
      throw protocol('its answer is none to what was asked');
    }
    const reply = head.readUInt32BE(12);
    const length = head.readUInt32BE(16);
    if (length > MAX_REPLY_BYTES || replies.length >= MAX_REPLIES) throw protocol('its answer is too long');
    const said = await socket.take(length);
    if (reply >= ERROR_BIT) {
      const text = said.toString('utf8') || `error ${reply - ERROR_BIT}`;
      throw new NbdClientError('refused', `the NBD server does not open the export: ${text}`);
    }
    if (reply === optionReply.ack) return replies;
    replies.push({ type: reply, payload: said });
  }
}

function exportFacts(replies: readonly OptionReply[]): Pick<OpenedExport, 'sizeBytes' | 'maxReadBytes'> {
  let sizeBytes: number | undefined;
  let maxReadBytes = MAX_PAYLOAD_BYTES;
  for (const { type, payload } of replies) {
    if (type !== optionReply.info || payload.length < 2) throw protocol('its answer is no fact of the export');
    const kind = payload.readUInt16BE(0);
    if (kind === info.export && payload.length === 12) sizeBytes = Number(payload.readBigUInt64BE(2));
    if (kind === info.blockSize && payload.length === 14)
      maxReadBytes = Math.min(maxReadBytes, payload.readUInt32BE(10));
  }
  if (sizeBytes === undefined || !Number.isSafeInteger(sizeBytes))
    throw protocol('it does not say how large the export is');
  if (maxReadBytes < 4096) throw protocol('it says that nothing can be read');
  return { sizeBytes, maxReadBytes };
}

const protocol = (what: string): NbdClientError => new NbdClientError('protocol', `the NBD server is wrong: ${what}`);
