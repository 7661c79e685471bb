import type { ByteQueue } from './byte-queue.js';
import { NbdProtocolError } from './nbd-protocol-error.js';
import { MalformedOption, OptionPayload } from './option-payload.js';
import { blockSizePayload, encodeOptionReply, infoPayload, numberAndText, sizeAndFlags } from './option-reply.js';
import {
  ALLOCATION_CONTEXT,
  handshakeFlag,
  INIT_PASSWORD,
  info,
  MAX_STRING_BYTES,
  OPTION_MAGIC,
  option,
  optionReply,
} from './protocol.js';

/** What a handshake needs to know of an export. */
export interface OfferedExport {
  readonly name: string;
  readonly description?: string;
  readonly sizeBytes: number;
}

/** Where a handshake finds exports. */
export interface ExportDirectory<E extends OfferedExport> {
  names(): Iterable<string>;
  find(name: string): E | undefined;
}

/** What client and server have agreed on. */
export interface Negotiated<E extends OfferedExport> {
  readonly export: E;
  readonly structured: boolean;
  /** The client may ask for block status. */
  readonly allocation: boolean;
}

export const ALLOCATION_CONTEXT_ID = 1;

const OPTION_HEAD_BYTES = 16;
const LONGEST_OPTION_BYTES = 16 * MAX_STRING_BYTES;
/** No client needs more than a handful; one that goes on for ever is no client. */
const MAX_OPTIONS = 256;
const MAX_META_QUERIES = 64;

/** The server's side of the fixed newstyle handshake of one connection. Does no I/O: bytes in, replies out. */
export class Handshake<E extends OfferedExport> {
  /** The client went, in the way the protocol has for it. */
  aborted = false;
  negotiated: Negotiated<E> | undefined;

  private replies: Buffer[] = [];
  private noZeroes: boolean | undefined;
  private structured = false;
  /** The export for which the allocation context was chosen. */
  private allocationOf: string | undefined;
  private options = 0;

  constructor(private readonly directory: ExportDirectory<E>) {}

  /** What the server says first. */
  greeting(): Buffer {
    const bytes = Buffer.alloc(18);
    bytes.writeBigUInt64BE(INIT_PASSWORD, 0);
    bytes.writeBigUInt64BE(OPTION_MAGIC, 8);
    bytes.writeUInt16BE(handshakeFlag.fixedNewstyle | handshakeFlag.noZeroes, 16);
    return bytes;
  }

  /**
   * Takes from the input what is whole. Bytes after the last option are left: they are requests.
   * @returns what to send
   * @throws NbdProtocolError when the connection must be closed
   */
  advance(input: ByteQueue): Buffer[] {
    this.replies = [];
    while (!this.negotiated && !this.aborted && this.takeOne(input));
    return this.replies;
  }

  private takeOne(input: ByteQueue): boolean {
    if (this.noZeroes === undefined) return this.takeFlags(input);
    const head = input.peek(OPTION_HEAD_BYTES);
    if (!head) return false;
    if (head.readBigUInt64BE(0) !== OPTION_MAGIC) throw new NbdProtocolError('not an NBD option');
    const length = head.readUInt32BE(12);
    if (length > LONGEST_OPTION_BYTES) throw new NbdProtocolError('an option is too long');
    const type = head.readUInt32BE(8);
    const whole = input.take(OPTION_HEAD_BYTES + length);
    if (!whole) return false;
    if (++this.options > MAX_OPTIONS) throw new NbdProtocolError('too many options');
    this.takeOption(type, whole.subarray(OPTION_HEAD_BYTES));
    return true;
  }

  private takeFlags(input: ByteQueue): boolean {
    const flags = input.take(4)?.readUInt32BE(0);
    if (flags === undefined) return false;
    const known = handshakeFlag.fixedNewstyle | handshakeFlag.noZeroes;
    if ((flags & ~known) !== 0) throw new NbdProtocolError('unknown client flags');
    this.noZeroes = (flags & handshakeFlag.noZeroes) !== 0;
    return true;
  }

  private takeOption(type: number, payload: Buffer): void {
    try {
      this.dispatch(type, payload);
    } catch (error) {
      if (!(error instanceof MalformedOption)) throw error;
      this.reply(type, optionReply.invalid, Buffer.from(error.message));
    }
  }

  private dispatch(type: number, payload: Buffer): void {
    const fields = new OptionPayload(payload);
    switch (type) {
      case option.exportName:
        this.openOldWay(payload.toString('utf8'));
        return;
      case option.abort:
        this.aborted = true;
        this.reply(type, optionReply.ack);
        return;
      case option.list:
        fields.end();
        this.list();
        return;
      case option.structuredReply:
        fields.end();
        this.structured = true;
        this.reply(type, optionReply.ack);
        return;
      case option.info:
      case option.go:
        this.tell(type, fields);
        return;
      case option.listMetaContext:
      case option.setMetaContext:
        this.metaContexts(type, fields);
        return;
      default:
        this.reply(type, optionReply.unsupported, Buffer.from('not supported here'));
    }
  }

  private openOldWay(name: string): void {
    const found = this.directory.find(name);
    // This option has no way to say no.
    if (!found) throw new NbdProtocolError('no such export');
    this.replies.push(sizeAndFlags(found.sizeBytes, this.structured));
    if (!this.noZeroes) this.replies.push(Buffer.alloc(124));
    this.settle(found);
  }

  private list(): void {
    for (const name of this.directory.names()) {
      this.reply(option.list, optionReply.server, numberAndText(Buffer.byteLength(name), name));
    }
    this.reply(option.list, optionReply.ack);
  }

  private tell(type: number, fields: OptionPayload): void {
    const name = fields.text();
    const wanted = new Set(Array.from({ length: fields.uint16() }, () => fields.uint16()));
    fields.end();
    const found = this.directory.find(name);
    if (!found) {
      this.reply(type, optionReply.unknownExport, Buffer.from('no such export'));
      return;
    }
    const tellInfo = (payload: Buffer): void => this.reply(type, optionReply.info, payload);
    tellInfo(infoPayload(info.export, sizeAndFlags(found.sizeBytes, this.structured)));
    if (wanted.has(info.name)) tellInfo(infoPayload(info.name, Buffer.from(found.name)));
    if (wanted.has(info.description) && found.description) {
      tellInfo(infoPayload(info.description, Buffer.from(found.description)));
    }
    if (wanted.has(info.blockSize)) tellInfo(blockSizePayload());
    this.reply(type, optionReply.ack);
    if (type === option.go) this.settle(found);
  }

  private metaContexts(type: number, fields: OptionPayload): void {
    const isSet = type === option.setMetaContext;
    if (isSet) this.allocationOf = undefined;
    const name = fields.text();
    const count = fields.uint32();
    if (count > MAX_META_QUERIES) {
      this.reply(type, optionReply.tooBig);
      return;
    }
    const queries = Array.from({ length: count }, () => fields.text());
    fields.end();
    if (!this.structured) {
      this.reply(type, optionReply.invalid, Buffer.from('needs structured replies'));
      return;
    }
    if (!this.directory.find(name)) {
      this.reply(type, optionReply.unknownExport);
      return;
    }
    const matches = isSet
      ? queries.includes(ALLOCATION_CONTEXT)
      : count === 0 || queries.some((query) => query === ALLOCATION_CONTEXT || query === 'base:');
    if (matches) {
      if (isSet) this.allocationOf = name;
      this.reply(type, optionReply.metaContext, numberAndText(isSet ? ALLOCATION_CONTEXT_ID : 0, ALLOCATION_CONTEXT));
    }
    this.reply(type, optionReply.ack);
  }

  private settle(found: E): void {
    this.negotiated = {
      export: found,
      structured: this.structured,
      allocation: this.allocationOf === found.name,
    };
  }

  private reply(type: number, reply: number, payload?: Buffer): void {
    this.replies.push(encodeOptionReply(type, reply, payload));
  }
}
