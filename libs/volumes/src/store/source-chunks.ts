import { type FileHandle, open } from 'node:fs/promises';
import { VolumeError } from '../volume-error.js';
import { dataSpans } from './data-spans.js';

/** The path of a file, or its bytes in order. */
export type VolumeSource = string | AsyncIterable<Uint8Array>;

export interface SourceChunk {
  readonly index: number;
  readonly content: Buffer;
}

/** What was read together, and how far the source was read after it, holes counted. */
export interface SourceBatch {
  readonly chunks: readonly SourceChunk[];
  readonly readBytes: number;
}

/** A chunk, or a hole, and how far the source was read with it. The content is good until the next one is asked for. */
interface Piece {
  readonly endBytes: number;
  readonly content?: Buffer;
}

/** After so many pieces, progress is told even when there was nothing to write. */
const QUIET_PIECES = 1024;
const READ_BYTES = 1024 * 1024;

/** Cuts a source into chunks, and leaves out those that are all zeros; so many bytes of the rest at a time. */
export async function* sourceBatches(
  source: VolumeSource,
  chunkBytes: number,
  batchBytes: number,
): AsyncIterable<SourceBatch> {
  const zeros = Buffer.alloc(chunkBytes);
  let chunks: SourceChunk[] = [];
  let pieces = 0;
  let readBytes = 0;
  const cut = typeof source === 'string' ? fileChunks(source, chunkBytes) : recut(source, chunkBytes);
  for await (const { endBytes, content } of cut) {
    readBytes = endBytes;
    if (content && !content.equals(zeros.subarray(0, content.length))) {
      const index = Math.floor((endBytes - content.length) / chunkBytes);
      chunks.push({ index, content: Buffer.from(content) });
    }
    if (chunks.length * chunkBytes < batchBytes && ++pieces % QUIET_PIECES !== 0) continue;
    yield { chunks, readBytes };
    chunks = [];
  }
  yield { chunks, readBytes };
}

async function* fileChunks(path: string, chunkBytes: number): AsyncIterable<Piece> {
  const file = await open(path, 'r');
  try {
    const stats = await file.stat();
    const block = Buffer.alloc(Math.max(chunkBytes, READ_BYTES));
    for (const { from, to } of await dataSpans(path, stats, chunkBytes)) {
      for (let at = from; at < to; ) {
        const length = Math.min(block.length, to - at);
        await readFully(file, block.subarray(0, length), at);
        for (let taken = 0; taken < length; ) {
          const end = Math.min(length, taken + chunkBytes);
          yield { endBytes: at + end, content: block.subarray(taken, end) };
          taken = end;
        }
        at += length;
      }
    }
    yield { endBytes: stats.size };
  } finally {
    await file.close();
  }
}

async function readFully(file: FileHandle, target: Buffer, position: number): Promise<void> {
  for (let done = 0; done < target.length; ) {
    const { bytesRead } = await file.read(target, done, target.length - done, position + done);
    if (bytesRead === 0) throw new VolumeError('invalid', 'the file became shorter while it was read');
    done += bytesRead;
  }
}

async function* recut(source: AsyncIterable<Uint8Array>, chunkBytes: number): AsyncIterable<Piece> {
  const chunk = Buffer.alloc(chunkBytes);
  let filled = 0;
  let endBytes = 0;
  for await (const piece of source) {
    for (let from = 0; from < piece.length; ) {
      const taken = Math.min(piece.length - from, chunkBytes - filled);
      chunk.set(piece.subarray(from, from + taken), filled);
      filled += taken;
      from += taken;
      if (filled < chunkBytes) continue;
      endBytes += chunkBytes;
      yield { endBytes, content: chunk };
      filled = 0;
    }
  }
  if (filled > 0) yield { endBytes: endBytes + filled, content: chunk.subarray(0, filled) };
}
