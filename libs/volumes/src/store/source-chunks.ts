import { open } from 'node:fs/promises';
import { type Digest, digestOf } from '../chunk/digest.js';

/** The path of a file, or its bytes in order. */
export type VolumeSource = string | AsyncIterable<Uint8Array>;

export interface SourceChunk {
  readonly index: number;
  readonly digest: Digest;
  readonly content: Buffer;
}

/** What was read together, and how far the source was read after it, holes counted. */
export interface SourceBatch {
  readonly chunks: readonly SourceChunk[];
  readonly readBytes: number;
}

/** Cuts a source into chunks, leaves out those that are all zeros, and hashes the rest; so many bytes of them at a time. */
export async function* sourceBatches(
  source: VolumeSource,
  chunkBytes: number,
  batchBytes: number,
): AsyncIterable<SourceBatch> {
  const zeros = Buffer.alloc(chunkBytes);
  let chunks: SourceChunk[] = [];
  let index = 0;
  let readBytes = 0;
  for await (const content of typeof source === 'string' ? fileChunks(source, chunkBytes) : recut(source, chunkBytes)) {
    readBytes += content.length;
    if (!content.equals(zeros.subarray(0, content.length))) {
      chunks.push({ index, digest: digestOf(content), content: Buffer.from(content) });
    }
    index++;
    if (chunks.length * chunkBytes < batchBytes && index % 1024 !== 0) continue;
    yield { chunks, readBytes };
    chunks = [];
  }
  yield { chunks, readBytes };
}

/** What is yielded is good until the next one is asked for. */
async function* fileChunks(path: string, chunkBytes: number): AsyncIterable<Buffer> {
  const file = await open(path, 'r');
  try {
    const block = Buffer.alloc(Math.max(chunkBytes, 1024 * 1024));
    for (let at = 0; ; ) {
      let filled = 0;
      for (let last = -1; filled < block.length && last !== 0; filled += last) {
        last = (await file.read(block, filled, block.length - filled, at + filled)).bytesRead;
      }
      for (let from = 0; from < filled; from += chunkBytes) {
        yield block.subarray(from, Math.min(filled, from + chunkBytes));
      }
      at += filled;
      if (filled < block.length) return;
    }
  } finally {
    await file.close();
  }
}

/** What is yielded is good until the next one is asked for. */
async function* recut(source: AsyncIterable<Uint8Array>, chunkBytes: number): AsyncIterable<Buffer> {
  const chunk = Buffer.alloc(chunkBytes);
  let filled = 0;
  for await (const piece of source) {
    for (let from = 0; from < piece.length; ) {
      const taken = Math.min(piece.length - from, chunkBytes - filled);
      chunk.set(piece.subarray(from, from + taken), filled);
      filled += taken;
      from += taken;
      if (filled < chunkBytes) continue;
      yield chunk;
      filled = 0;
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}
