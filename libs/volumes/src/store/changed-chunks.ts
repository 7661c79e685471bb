import type { BlockExtent } from '../block-extents.js';
import { forEachParallel } from '../parallel.js';
import type { Manifest } from '../version/manifest.js';
import { VolumeError } from '../volume-error.js';
import type { ChangeRequest } from './change-request.js';
import type { SourceBatch, SourceChunk } from './source-chunks.js';

const READ_BYTES = 1024 * 1024;
const READS_AT_ONCE = 4;

/** Chunks that follow each other and are read together. */
interface Run {
  readonly first: number;
  count: number;
}

/** Which chunks of a volume a list of changes touches, and which of these are to be read: the others became holes. */
export class ChangedChunks {
  readonly sizeBytes: number;
  /** For each touched chunk, how much of it is said to be a hole now. */
  private readonly touched = new Map<number, number>();
  private readonly zeros: Buffer;

  /** @throws VolumeError 'invalid': changes out of order or outside of the volume, or it would become smaller */
  constructor(
    private readonly base: Manifest,
    private readonly request: ChangeRequest,
  ) {
    this.sizeBytes = request.sizeBytes ?? base.sizeBytes;
    this.zeros = Buffer.alloc(base.chunkBytes);
    if (this.sizeBytes < base.sizeBytes) {
      throw new VolumeError('invalid', `a volume of ${base.sizeBytes} bytes cannot become one of ${this.sizeBytes}`);
    }
    checkChanges(request.changed, this.sizeBytes);
    for (const extent of request.changed) this.touch(extent);
    // A chunk that was the last one and shorter than the others now has zeros behind it.
    const tail = Math.floor(base.sizeBytes / base.chunkBytes);
    const isLonger = this.sizeBytes > base.sizeBytes && base.sizeBytes % base.chunkBytes !== 0;
    if (isLonger && !base.isHoleAt(tail) && !this.touched.has(tail)) this.touched.set(tail, 0);
  }

  isTouched(index: number): boolean {
    return this.touched.has(index);
  }

  /** What the touched chunks hold now, about so many bytes at a time; what is all zeros is left out. */
  async *batches(batchBytes: number): AsyncIterable<SourceBatch> {
    let readBytes = 0;
    let runs: Run[] = [];
    let runBytes = 0;
    for (const run of this.runs()) {
      runs.push(run);
      runBytes += run.count * this.base.chunkBytes;
      if (runBytes < batchBytes) continue;
      readBytes += runBytes;
      yield { chunks: await this.readRuns(runs), readBytes };
      runs = [];
      runBytes = 0;
    }
    readBytes += runBytes;
    yield { chunks: await this.readRuns(runs), readBytes };
  }

  private touch({ offset, length, isHole }: BlockExtent): void {
    const { chunkBytes } = this.base;
    for (let at = offset; at < offset + length; ) {
      const index = Math.floor(at / chunkBytes);
      const end = Math.min((index + 1) * chunkBytes, offset + length);
      this.touched.set(index, (this.touched.get(index) ?? 0) + (isHole ? end - at : 0));
      at = end;
    }
  }

  private bytesAt(index: number): number {
    return Math.min(this.base.chunkBytes, this.sizeBytes - index * this.base.chunkBytes);
  }

  private *runs(): Iterable<Run> {
    const wanted = [...this.touched].filter(([index, holeBytes]) => holeBytes < this.bytesAt(index));
    const indexes = wanted.map(([index]) => index).sort((a, b) => a - b);
    const most = Math.max(1, READ_BYTES / this.base.chunkBytes);
    let run: Run | undefined;
    for (const index of indexes) {
      if (run && run.first + run.count === index && run.count < most) run.count++;
      else {
        if (run) yield run;
        run = { first: index, count: 1 };
      }
    }
    if (run) yield run;
  }

  private async readRuns(runs: readonly Run[]): Promise<SourceChunk[]> {
    const chunks: SourceChunk[] = [];
    await forEachParallel(runs, READS_AT_ONCE, async (run) => {
      chunks.push(...(await this.readRun(run)));
    });
    return chunks;
  }

  private async readRun({ first, count }: Run): Promise<SourceChunk[]> {
    const { chunkBytes } = this.base;
    const { read, signal } = this.request;
    const offset = first * chunkBytes;
    const length = Math.min(count * chunkBytes, this.sizeBytes - offset);
    signal?.throwIfAborted();
    const bytes = await read(offset, length, signal);
    if (bytes.length !== length) {
      throw new VolumeError('invalid', `${bytes.length} bytes were read at ${offset} in the place of ${length}`);
    }
    const from = Buffer.from(bytes.buffer, bytes.byteOffset, length);
    const chunks: SourceChunk[] = [];
    for (let at = 0; at < length; at += chunkBytes) {
      const content = from.subarray(at, at + chunkBytes);
      if (content.equals(this.zeros.subarray(0, content.length))) continue;
      chunks.push({ index: (offset + at) / chunkBytes, content });
    }
    return chunks;
  }
}

function checkChanges(changed: readonly BlockExtent[], sizeBytes: number): void {
  let end = 0;
  for (const { offset, length } of changed) {
    const isInOrder = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= end && length >= 0;
    if (!isInOrder || offset + length > sizeBytes) {
      throw new VolumeError(
        'invalid',
        `${length} changed bytes at ${offset} are out of order or outside of the volume`,
      );
    }
    end = offset + length;
  }
}
