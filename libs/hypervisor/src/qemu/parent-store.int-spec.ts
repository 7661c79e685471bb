import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { type ParentRecord, writeParentRecord } from './parent-folder.js';
import { ParentStore } from './parent-store.js';
import { ProcessTable } from './process-identity.js';

const HOUR_MS = 3_600_000;
const QEMU = 'QEMU emulator version 99';

describe('ParentStore at its start', () => {
  let dir: string;
  let parentsDir: string;
  let qemuCommand: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'goldleaf-parents-'));
    parentsDir = join(dir, 'parents');
    qemuCommand = join(dir, 'qemu');
    await writeFile(qemuCommand, `#!/bin/sh\necho '${QEMU}'\n`, { mode: 0o755 });
  });
  afterEach(() => rm(dir, { recursive: true }));

  async function parent(digit: string, over: Partial<ParentRecord> & { unusedMs?: number } = {}): Promise<string> {
    const key = digit.repeat(40);
    const path = join(parentsDir, key);
    await mkdir(path, { recursive: true });
    const file = { bytes: 1, modifiedMs: 0, sha256: '' };
    const { unusedMs = 0, ...record } = over;
    await writeParentRecord(path, {
      formatVersion: 1,
      key,
      imageDigest: 'image',
      rootDiskPath: qemuCommand,
      qemuVersion: QEMU,
      savedAt: new Date(),
      files: { memory: file, state: file, 'disk.qcow2': file },
      ...record,
    });
    const usedAt = new Date(Date.now() - unusedMs);
    await utimes(path, usedAt, usedAt);
    return key;
  }

  const start = async (inUse: readonly string[]) => {
    const logger = pino({ level: 'silent' });
    const options = { parentsDir, logger, bootTimeoutMs: 1, retryMs: 1, keepUnusedMs: HOUR_MS };
    const store = new ParentStore({ ...options, inUse: () => new Set(inUse) });
    await store.start({ processes: new ProcessTable(), qemuCommand });
    return (await readdir(parentsDir)).sort();
  };

  it('keeps what was used lately and what has children, and sweeps the rest', async () => {
    const lately = await parent('a', { unusedMs: HOUR_MS / 2 });
    const withChildren = await parent('b', { unusedMs: 2 * HOUR_MS, qemuVersion: 'another' });
    await parent('c', { unusedMs: 2 * HOUR_MS });
    await parent('d', { qemuVersion: 'another' });
    await parent('e', { rootDiskPath: join(dir, 'gone') });
    await mkdir(join(parentsDir, 'f'.repeat(40)));
    expect(await start([withChildren])).toEqual([lately, withChildren]);
  });

  it('sweeps what was never finished', async () => {
    await mkdir(join(parentsDir, '5f0c6a7e-58a6-4d43-9a5c-5f1d5f8d5d11'), { recursive: true });
    expect(await start([])).toEqual([]);
  });
});
