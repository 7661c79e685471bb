import { chunkType } from './protocol.js';

/** The server's answer does not fit what it was asked. */
export class WrongReply extends Error {}

/** What comes in answer to one request, piece by piece. */
export interface ReplyCollector<T> {
  /** The longest payload that this type of chunk may have here; undefined when there can be none of the type. */
  limitOf(type: number): number | undefined;
  /** @throws WrongReply */
  accept(type: number, payload: Buffer): void;
  /** All that was asked for. @throws WrongReply when some of it is missing */
  finish(): T;
}

const OFFSET_BYTES = 8;
const HOLE_BYTES = 12;

/** The bytes of a read. Each must come exactly once. */
export class ReadReply implements ReplyCollector<Buffer> {
  private bytes: Buffer | undefined;
  private readonly ranges: (readonly [from: number, to: number])[] = [];

  constructor(
    private readonly offset: number,
    private readonly length: number,
  ) {}

  limitOf(type: number): number | undefined {
    if (type === chunkType.offsetData) return OFFSET_BYTES + this.length;
    return type === chunkType.offsetHole ? HOLE_BYTES : undefined;
  }

  accept(type: number, payload: Buffer): void {
    const isHole = type === chunkType.offsetHole;
    if (payload.length < OFFSET_BYTES || (isHole && payload.length !== HOLE_BYTES))
      throw new WrongReply('it is too short');
    const from = Number(payload.readBigUInt64BE(0)) - this.offset;
    const length = isHole ? payload.readUInt32BE(OFFSET_BYTES) : payload.length - OFFSET_BYTES;
    if (from < 0 || length === 0 || from + length > this.length) throw new WrongReply('it is outside of what was read');
    this.ranges.push([from, from + length]);
    if (!isHole && length === this.length) {
      this.bytes = payload.subarray(OFFSET_BYTES);
      return;
    }
    // Not cleared: all of it is filled, or the read fails.
    this.bytes ??= Buffer.allocUnsafe(this.length);
    if (isHole) this.bytes.fill(0, from, from + length);
    else payload.copy(this.bytes, from, OFFSET_BYTES);
  }

  finish(): Buffer {
    let end = 0;
    for (const [from, to] of this.ranges.sort(([a], [b]) => a - b)) {
      if (from !== end) throw new WrongReply('bytes are missing or came twice');
      end = to;
    }
    if (!this.bytes || end !== this.length) throw new WrongReply('bytes are missing');
    return this.bytes;
  }
}

export interface StatusRun {
  readonly length: number;
  readonly flags: number;
}

const MAX_STATUS_RUNS = 1 << 20;
const RUN_BYTES = 8;

/** What one meta context says of a range, from its beginning; it may say less than all, and the last run may go beyond. */
export class StatusReply implements ReplyCollector<readonly StatusRun[]> {
  private runs: readonly StatusRun[] | undefined;

  constructor(
    private readonly contextId: number,
    private readonly length: number,
  ) {}

  limitOf(type: number): number | undefined {
    return type === chunkType.blockStatus ? 4 + RUN_BYTES * MAX_STATUS_RUNS : undefined;
  }

  accept(_type: number, payload: Buffer): void {
    if (payload.length < 4 + RUN_BYTES || (payload.length - 4) % RUN_BYTES !== 0) {
      throw new WrongReply('it is no list of extents');
    }
    // The server speaks of all contexts that were negotiated.
    if (payload.readUInt32BE(0) !== this.contextId) return;
    if (this.runs) throw new WrongReply('one context came twice');
    const runs: StatusRun[] = [];
    let end = 0;
    for (let at = 4; at < payload.length; at += RUN_BYTES) {
      const run = { length: payload.readUInt32BE(at), flags: payload.readUInt32BE(at + 4) };
      if (run.length === 0 || end >= this.length) throw new WrongReply('an extent is empty or outside of the range');
      end += run.length;
      runs.push(run);
    }
    this.runs = runs;
  }

  finish(): readonly StatusRun[] {
    if (!this.runs) throw new WrongReply('it says nothing of the context');
    return this.runs;
  }
}
