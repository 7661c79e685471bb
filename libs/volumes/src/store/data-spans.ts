import { execFile } from 'node:child_process';
import type { Stats } from 'node:fs';
import { promisify } from 'node:util';
import { z } from 'zod';

const run = promisify(execFile);

/** Bytes of a file: `from` is the first, `to` the one after the last. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const mapSchema = z.array(z.object({ start: z.int().min(0), length: z.int().min(0), zero: z.boolean() }));

const BLOCK_BYTES = 512;
/** Asking costs a process; reading so much of zeros does not take longer. */
const WORTH_ASKING_BYTES = 64 * 1024 * 1024;

/**
 * Where a file has data, in order, in whole chunks (the last one to the end of the file); elsewhere it is all zeros. Node
 * cannot ask for holes (SEEK_DATA), but qemu-img can; without it, or when little is gained, the file counts as data.
 */
export async function dataSpans(path: string, { size, blocks }: Stats, chunkBytes: number): Promise<readonly Span[]> {
  const whole = size === 0 ? [] : [{ from: 0, to: size }];
  if (size - blocks * BLOCK_BYTES < WORTH_ASKING_BYTES) return whole;
  let map: z.infer<typeof mapSchema>;
  try {
    const { stdout } = await run('qemu-img', ['map', '--output=json', '-f', 'raw', path], { maxBuffer: 256 << 20 });
    map = mapSchema.parse(JSON.parse(stdout));
  } catch {
    return whole;
  }
  // It must speak of the file as we see it.
  const last = map.at(-1);
  if (!last || last.start + last.length < size) return whole;
  const spans: { from: number; to: number }[] = [];
  for (const { start, length, zero } of map) {
    if (zero || length === 0 || start >= size) continue;
    const from = Math.floor(start / chunkBytes) * chunkBytes;
    const to = Math.min(size, Math.ceil((start + length) / chunkBytes) * chunkBytes);
    const previous = spans.at(-1);
    if (previous && previous.to >= from) previous.to = Math.max(previous.to, to);
    else spans.push({ from, to });
  }
  return spans;
}
