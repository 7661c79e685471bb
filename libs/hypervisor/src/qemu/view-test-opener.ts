import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { ByteExtent, NbdViewOpener } from '../volume-view.js';

const run = promisify(execFile);
const map = z.array(z.object({ start: z.int(), length: z.int(), data: z.boolean() }));

/** Reads a view whole with QEMU's own client, for tests only. */
export const openWithQemu: NbdViewOpener = async ({ socketPath, exportName, bitmapName }) => {
  const target = `driver=nbd,server.type=unix,server.path=${socketPath},export=${exportName}`;
  const bitmap = `${target},x-dirty-bitmap=qemu:dirty-bitmap:${bitmapName}`;
  const { stdout } = await run('qemu-img', ['map', '--output=json', '--image-opts', bitmap]);
  // QEMU's way to show a bitmap: what is set in it has no data.
  const set = map.parse(JSON.parse(stdout)).filter(({ data }) => !data);
  const changed: ByteExtent[] = set.map(({ start, length }) => ({ offset: start, length }));
  const file = join(tmpdir(), `view-${randomUUID()}.raw`);
  try {
    await run('qemu-img', ['convert', '--image-opts', target, '-O', 'raw', file]);
    const content = await readFile(file);
    return {
      sizeBytes: content.length,
      changed,
      read: async (offset, length) => content.subarray(offset, offset + length),
      close: async () => undefined,
    };
  } finally {
    await rm(file, { force: true });
  }
};
