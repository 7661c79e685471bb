import type { Logger } from 'pino';
import { blockStatus } from './block-status.js';
import type { ByteQueue } from './byte-queue.js';
import { ALLOCATION_CONTEXT_ID, type Negotiated } from './handshake.js';
import type { NbdExport } from './nbd-export.js';
import type { NbdMetrics, NbdOutcome } from './nbd-metrics.js';
import type { NbdLimits } from './nbd-options.js';
import { NbdProtocolError } from './nbd-protocol-error.js';
import { command, commandFlag, MAX_PAYLOAD_BYTES, type NbdErrno } from './protocol.js';
import { ReadJob, type ReadPiece } from './read-job.js';
import { blockStatusChunk, dataChunkHead, errorChunk, holeChunk, noneChunk, simpleReply } from './reply.js';
import type { ReplyWriter } from './reply-writer.js';
import { decodeRequest, type NbdRequest, REQUEST_BYTES } from './request.js';
import { TimedRead } from './timed-read.js';

export interface RequestServerOptions {
  readonly input: ByteQueue;
  readonly writer: ReplyWriter;
  readonly limits: NbdLimits;
  readonly metrics: NbdMetrics;
  readonly logger: Logger;
  /** A read has ended: there may be room, or nothing left to wait for. */
  readonly onIdle: () => void;
}

/** Answers the requests of one client, reads side by side and in the order in which they are done. */
export class RequestServer {
  /** The client has said goodbye. */
  isLeaving = false;

  private queue: ReadJob[] = [];
  private readonly jobs = new Set<ReadJob>();
  private readonly reads = new Set<TimedRead>();
  private readingBytes = 0;
  /** Of the payload of a write that is refused. */
  private payloadToDrop = 0;
  private readsFail = false;

  constructor(
    private readonly negotiated: Negotiated<NbdExport>,
    private readonly options: RequestServerOptions,
  ) {}

  /** Takes no more requests for now. */
  get isFull(): boolean {
    const { limits, writer } = this.options;
    return this.queue.length >= limits.queuedRequests || writer.unsentBytes > limits.inFlightBytes;
  }

  /** Nothing is being read, and nothing will be. */
  get isIdle(): boolean {
    return this.reads.size === 0 && this.queue.length === 0;
  }

  /** Takes requests from the input and starts what there is room for. @throws NbdProtocolError */
  advance(): void {
    this.startReads();
    while (!this.isLeaving && !this.isFull && this.takeOne());
    this.startReads();
  }

  /** Reads not begun are not answered: a client that connects anew asks again. */
  dropQueued(): void {
    this.queue = [];
  }

  /** The client is gone. */
  cancel(): void {
    this.queue = [];
    for (const read of this.reads) read.cancel();
    this.reads.clear();
    for (const job of this.jobs) this.report(job, 'cancelled');
    this.jobs.clear();
  }

  private takeOne(): boolean {
    const { input } = this.options;
    if (this.payloadToDrop > 0) {
      this.payloadToDrop -= input.drop(this.payloadToDrop);
      if (this.payloadToDrop > 0) return false;
    }
    const header = input.take(REQUEST_BYTES);
    if (!header) return false;
    this.dispatch(decodeRequest(header));
    return true;
  }

  private dispatch(request: NbdRequest): void {
    switch (request.type) {
      case command.read:
        this.read(request);
        return;
      case command.blockStatus:
        this.tellStatus(request);
        return;
      case command.disconnect:
        this.isLeaving = true;
        return;
      case command.flush:
        this.answer(request);
        return;
      case command.write:
        if (request.length > MAX_PAYLOAD_BYTES) throw new NbdProtocolError('a write is too long');
        this.payloadToDrop = request.length;
        this.answer(request, 'EPERM', 'the export is read-only');
        return;
      case command.trim:
      case command.writeZeroes:
        this.answer(request, 'EPERM', 'the export is read-only');
        return;
      default:
        this.answer(request, 'EINVAL', 'no such command');
        return;
    }
  }

  private isOutside({ offset, length }: NbdRequest): boolean {
    return offset + length > this.negotiated.export.sizeBytes;
  }

  private read(request: NbdRequest): void {
    if (this.isOutside(request)) {
      this.answer(request, 'EINVAL', 'beyond the end');
      return;
    }
    if (request.length > MAX_PAYLOAD_BYTES) {
      this.answer(request, 'EINVAL', 'a read is too long');
      return;
    }
    if (request.length === 0) {
      this.answer(request);
      return;
    }
    const { export: of, structured } = this.negotiated;
    const job = new ReadJob(request, structured, performance.now(), of.reader);
    this.jobs.add(job);
    this.queue.push(job);
  }

  private tellStatus(request: NbdRequest): void {
    if (!this.negotiated.allocation) {
      this.answer(request, 'EINVAL', 'no meta context was chosen');
      return;
    }
    if (request.length === 0 || this.isOutside(request)) {
      this.answer(request, 'EINVAL', 'beyond the end');
      return;
    }
    const onlyOne = (request.flags & commandFlag.requestOne) !== 0;
    const extents = blockStatus(this.negotiated.export.reader, request.offset, request.length, onlyOne);
    this.options.writer.send(blockStatusChunk(request, ALLOCATION_CONTEXT_ID, extents));
    this.count('block-status', 'ok', 0, 0);
  }

  /** Answers what needs no reading. */
  private answer(request: NbdRequest, error?: NbdErrno, message = ''): void {
    const { writer } = this.options;
    if (!this.negotiated.structured) writer.send(simpleReply(request, error));
    else writer.send(error ? errorChunk(request, error, message) : noneChunk(request));
    this.count(request.type === command.read ? 'read' : 'other', error ?? 'ok', 0, 0);
  }

  private startReads(): void {
    const { writer, limits } = this.options;
    for (let job = this.queue[0]; job; job = this.queue[0]) {
      const piece = job.next;
      if (!piece) {
        this.queue.shift();
        continue;
      }
      const inFlightBytes = this.readingBytes + writer.unsentBytes;
      if (inFlightBytes > 0 && inFlightBytes + (piece.isHole ? 0 : piece.length) > limits.inFlightBytes) return;
      job.start();
      if (piece.isHole) this.tellHole(job, piece);
      else this.startRead(job, piece);
    }
  }

  private tellHole(job: ReadJob, { offset, length }: ReadPiece): void {
    const isLast = job.end();
    if (isLast && job.failure) {
      this.fail(job);
      return;
    }
    this.options.writer.send(holeChunk(job.request, isLast, offset, length));
    if (isLast) this.done(job);
  }

  private startRead(job: ReadJob, piece: ReadPiece): void {
    const { limits, onIdle } = this.options;
    const { export: of } = this.negotiated;
    this.readingBytes += piece.length;
    const ended = (bytes: Uint8Array | undefined, reason = ''): void => {
      this.reads.delete(read);
      this.readingBytes -= piece.length;
      if (!bytes) this.pieceFailed(job, piece, reason);
      else this.pieceRead(job, piece, bytes);
      onIdle();
    };
    const read: TimedRead = new TimedRead(of, piece.offset, piece.length, limits, {
      onBytes: (bytes) => ended(bytes),
      onError: (reason) => ended(undefined, reason),
    });
    this.reads.add(read);
  }

  private pieceRead(job: ReadJob, piece: ReadPiece, bytes: Uint8Array): void {
    const { writer, logger } = this.options;
    const isLast = job.end();
    if (this.readsFail) logger.info({ export: this.negotiated.export.name }, 'nbd: reads succeed again');
    this.readsFail = false;
    if (job.failure) {
      if (isLast) this.fail(job);
      return;
    }
    const { request, structured } = job;
    writer.send(structured ? dataChunkHead(request, isLast, piece.offset, piece.length) : simpleReply(request));
    writer.send(bytes);
    job.dataBytes += piece.length;
    if (isLast) this.done(job);
  }

  private pieceFailed(job: ReadJob, { offset }: ReadPiece, reason: string): void {
    const { logger } = this.options;
    // Once, not for each of the reads that a guest tries again and again.
    if (!this.readsFail) logger.warn({ export: this.negotiated.export.name, offset, reason }, 'nbd: reads fail');
    this.readsFail = true;
    job.failure ??= { offset, reason };
    job.skipRest();
    if (job.end()) this.fail(job);
  }

  private fail(job: ReadJob): void {
    const { request, structured, failure } = job;
    this.options.writer.send(
      structured ? errorChunk(request, 'EIO', failure?.reason ?? '', failure?.offset) : simpleReply(request, 'EIO'),
    );
    this.jobs.delete(job);
    this.report(job, 'EIO');
  }

  private done(job: ReadJob): void {
    this.jobs.delete(job);
    this.report(job, 'ok');
  }

  private report(job: ReadJob, outcome: NbdOutcome): void {
    this.count('read', outcome, job.dataBytes, performance.now() - job.arrivedAt);
  }

  private count(
    of: 'read' | 'block-status' | 'other',
    outcome: NbdOutcome,
    dataBytes: number,
    durationMs: number,
  ): void {
    const { name } = this.negotiated.export;
    this.options.metrics.onRequest?.({ export: name, command: of, outcome, dataBytes, durationMs });
  }
}
