import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { z } from 'zod';

const execFileAsync = promisify(execFile);
const CHUNK_BYTES = 1 << 20;
const ZEROES = Buffer.alloc(CHUNK_BYTES);

const extents = z.array(z.object({ start: z.int(), length: z.int(), data: z.boolean() }));

/**
 * SHA-256 over what is in a file, with where it is, leaving out what is all zero: a memory file is mostly holes, and
 * reading those would cost as much as the rest.
 */
export async function hashSparseFile(path: string): Promise<string> {
  const { stdout } = await execFileAsync('qemu-img', ['map', '-f', 'raw', '--output=json', path], {
    cwd: '/',
    maxBuffer: 256 << 20,
  });
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const hash = createHash('sha256').update(`${size}\n`);
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    let done = -1;
    for (const { start, length, data } of extents.parse(JSON.parse(stdout))) {
      if (!data) continue;
      // By whole chunks, so that the answer does not depend on how the file system laid the file out.
      const first = Math.max(done + 1, Math.floor(start / CHUNK_BYTES));
      const last = Math.floor((start + length - 1) / CHUNK_BYTES);
      for (let chunk = first; chunk <= last; chunk++) {
        const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, chunk * CHUNK_BYTES);
        const content = buffer.subarray(0, bytesRead);
        if (!content.equals(ZEROES.subarray(0, bytesRead))) hash.update(`${chunk}\n`).update(content);
        done = chunk;
      }
    }
    return hash.digest('hex');
  } finally {
    await file.close();
  }
}
