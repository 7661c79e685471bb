import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from '@jest/globals';
import { systemClock } from '#libs/kernel';
import { DirectoryObjectStore } from '../directory/directory-object-store.js';
import { silentLogger } from './store-fixture.js';
import { VolumeStore } from './volume-store.js';

/** As built: a process of its own runs no TypeScript. */
const program = resolve(import.meta.dirname, '../../../../dist/libs/volumes/src/store/endless-writer.worker.js');
const KILLS = 6;

describe('a writer that is killed', () => {
  it.each([
    ['leaves only whole versions in a directory, also while garbage is collected', undefined],
    ['does so when it encrypts, and writes what has changed', randomBytes(32)],
  ])(
    '%s',
    async (_, key) => {
      const folder = await mkdtemp(join(tmpdir(), 'goldleaf-killed-'));
      const objects = new DirectoryObjectStore(folder);
      const volumes = new VolumeStore({ objects, logger: silentLogger, holdTtlMs: 20_000 });
      const told: string[] = [];
      for (let n = 0; n < KILLS; n++) {
        const writer = spawn(process.execPath, [program, folder, ...(key ? [key.toString('hex')] : [])], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const lines = createInterface(writer.stdout).on('line', (line) => told.push(line));
        const before = told.length;
        await once(lines, 'line');
        // In the middle of one of the next versions.
        await volumes.collectGarbage({ graceMs: -1_000 });
        await new Promise((resolve) => setTimeout(resolve, n * 19));
        writer.kill('SIGKILL');
        await once(writer, 'close');
        expect(told.length).toBeGreaterThan(before);
        expect((await volumes.fsck()).findings).toEqual([]);
      }
      const versions = await volumes.listVersions();
      const names = versions.map(({ number, id }) => `${number} ${id}`);
      // What a writer was told to be published is there; one more may be there for each kill.
      expect(names).toEqual(expect.arrayContaining(told.filter((line) => /^\d+ [0-9a-f]{64}$/.test(line))));
      expect(names.length).toBeLessThanOrEqual(told.length + KILLS);
      const oldest = await volumes.openVersion(versions[0]?.id ?? '', { key });
      expect((await oldest.read(0, oldest.sizeBytes)).length).toBe(oldest.sizeBytes);
      await oldest.close();
      await objects.sweepUnfinished(-1_000);
      // Seen from later, when the holds of the dead have run out.
      const clock = { ...systemClock, now: () => new Date(Date.now() + 3_600_000) };
      await new VolumeStore({ objects, logger: silentLogger, clock }).collectGarbage({ graceMs: 0 });
      expect((await volumes.usage()).unneededBytes).toBe(0);
      expect((await volumes.fsck()).findings).toEqual([]);
      await rm(folder, { recursive: true });
    },
    180_000,
  );
});
