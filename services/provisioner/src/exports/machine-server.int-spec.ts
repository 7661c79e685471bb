import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '#libs/kernel';
import { silentLogger } from '#libs/telemetry';
import { MemoryObjectStore, VolumeStore } from '#libs/volumes';
import { MachineServer } from './machine-server.js';
import { SharedReaders } from './shared-readers.js';

async function* once(content: Uint8Array): AsyncIterable<Uint8Array> {
  yield content;
}

describe('MachineServer', () => {
  const logger = silentLogger();
  let folder: string;
  let objects: MemoryObjectStore;
  let readers: SharedReaders;
  let versionId: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'goldleaf-exports-'));
    objects = new MemoryObjectStore();
    const store = new VolumeStore({ objects, logger });
    ({ id: versionId } = await store.writeVersion(once(randomBytes(4096)), { volume: 'app-sheet' }));
    readers = new SharedReaders(store, systemClock, logger);
  });
  afterEach(async () => {
    await readers.closeUnused(0);
    await rm(folder, { recursive: true, force: true });
  });

  const serverAt = (socketPath: string) =>
    new MachineServer({ socketPath, access: {}, readers, metrics: {}, logger, onFailure: () => undefined });
  /** A reader that is open keeps objects in the store. */
  async function holds(): Promise<number> {
    let count = 0;
    for await (const _ of objects.list('holds/')) count += 1;
    return count;
  }

  it('opens a version once for all machines, and gives it back when the last of them is gone', async () => {
    const [one, two] = ['one', 'two'].map((name) => serverAt(join(folder, name))) as [MachineServer, MachineServer];
    await one.open({ id: 'v', versionId });
    const held = await holds();
    expect(held).toBeGreaterThan(0);
    await two.open({ id: 'v', versionId });
    expect(await holds()).toBe(held);
    await one.end();
    await readers.closeUnused(0);
    expect(await holds()).toBe(held);
    await two.end();
    await readers.closeUnused(0);
    expect(await holds()).toBe(0);
  });

  it('keeps nothing open when its socket cannot be made', async () => {
    await writeFile(join(folder, 'file'), '');
    const server = serverAt(join(folder, 'file', 'socket'));
    await expect(server.open({ id: 'v', versionId })).rejects.toThrow();
    expect(server.volumeIds).toEqual([]);
    await readers.closeUnused(0);
    expect(await holds()).toBe(0);
  });

  it('serves nothing after its end, also what was being opened', async () => {
    const server = serverAt(join(folder, 'one'));
    const opening = server.open({ id: 'v', versionId });
    const ended = server.end();
    await expect(opening).rejects.toThrow('have ended');
    await ended;
    await readers.closeUnused(0);
    expect([server.volumeIds.length, await holds()]).toEqual([0, 0]);
  });

  describe('while the store does not answer', () => {
    let answer: () => void;

    beforeEach(() => {
      const put = objects.put.bind(objects);
      const held = new Promise<void>((resolve) => {
        answer = resolve;
      });
      objects.put = async (...args) => {
        await held;
        return put(...args);
      };
    });

    it('whoever gives up does not end it for others, and it is served in the end', async () => {
      const server = serverAt(join(folder, 'one'));
      const abort = new AbortController();
      const impatient = server.open({ id: 'v', versionId }, abort.signal);
      const patient = server.open({ id: 'v', versionId });
      abort.abort(new Error('enough'));
      await expect(impatient).rejects.toThrow('enough');
      answer();
      await expect(patient).resolves.toMatchObject({ exportName: 'v' });
      await server.end();
    });

    it('what is closed before it was opened is not served later', async () => {
      const server = serverAt(join(folder, 'one'));
      const opening = server.open({ id: 'v', versionId });
      const closed = server.close('v');
      await expect(opening).rejects.toThrow('has ended');
      await closed;
      answer();
      await server.open({ id: 'w', versionId });
      expect(server.volumeIds).toEqual(['w']);
      await server.open({ id: 'v', versionId });
      expect(server.volumeIds).toEqual(['w', 'v']);
      await server.end();
      await readers.closeUnused(0);
      expect(await holds()).toBe(0);
    });
  });
});
