import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { MemoryObjectStore } from '../memory/memory-object-store.js';
import { CHUNK_BYTES, chunksOf, memoryVolumes, once, silentLogger } from '../store/store-fixture.js';
import { replicate } from './replicate.js';

const KEY = randomBytes(32);
const NO_GRACE = { graceMs: -60_000 };

/** Two sites, and versions at the first: of an image, and of a profile that is encrypted. */
async function twoSites() {
  const here = memoryVolumes();
  const there = memoryVolumes({ objects: new MemoryObjectStore() });
  const contents = new Map<string, Buffer>();
  const shared = chunksOf(20);
  const publish = async (content: Buffer, volume: string, key?: Buffer) => {
    const version = await here.volumes.writeVersion(once(content), { volume, chunkBytes: CHUNK_BYTES, key });
    contents.set(version.id, content);
    return version;
  };
  await publish(Buffer.concat([shared, chunksOf(3)]), 'images/one');
  await publish(Buffer.concat([shared, Buffer.alloc(9 * CHUNK_BYTES), chunksOf(2)]), 'images/one');
  await publish(Buffer.concat([shared, Buffer.alloc(4 * CHUNK_BYTES), chunksOf(5)]), 'profiles/alice', KEY);
  const check = async () => {
    for (const { id } of await here.volumes.listVersions()) {
      const isProfile = (await here.volumes.listVersions('profiles/alice')).some((version) => version.id === id);
      const reader = await there.volumes.openVersion(id, isProfile ? { key: KEY } : {});
      expect(Buffer.from(await reader.read(0, reader.sizeBytes)).equals(contents.get(id) ?? Buffer.alloc(0))).toBe(
        true,
      );
      await reader.close();
    }
    expect(await there.volumes.listVersions()).toEqual(await here.volumes.listVersions());
    expect((await there.volumes.fsck()).findings).toEqual([]);
    for (const { objects } of [here, there]) expect(objects.keys('holds/')).toEqual([]);
  };
  const run = (more: { volumes?: string; signal?: AbortSignal } = {}) =>
    replicate(here.objects, there.objects, { logger: silentLogger, ...more });
  return { here, there, publish, check, run };
}

describe('replicate', () => {
  it('brings what is missing, and nothing twice', async () => {
    const { here, there, publish, check, run } = await twoSites();
    expect(await run()).toMatchObject({ copiedChunks: 50, skippedChunks: 0, versions: 3, notReplicated: [] });
    await check();
    expect(await run()).toEqual({ copiedChunks: 0, copiedBytes: 0, skippedChunks: 0, versions: 0, notReplicated: [] });
    await publish(chunksOf(4), 'profiles/alice', KEY);
    await publish(chunksOf(4), 'images/two');
    const before = there.objects.counts.put;
    const { copiedBytes } = await run({ volumes: 'profiles' });
    expect(copiedBytes).toBe(4 * (CHUNK_BYTES + 30));
    // Chunks, manifest and name; what else is put are holds.
    expect(there.objects.counts.put - before).toBeLessThan(12);
    expect((await there.volumes.listVersions()).map(({ volume }) => volume)).not.toContain('images/two');
    await run();
    await check();
    expect(here.objects.keys('chunks/')).toEqual(there.objects.keys('chunks/'));
  });

  it('goes on where it was, wherever it died, and nothing half copied can be opened', async () => {
    let hasSurvived = false;
    for (let deathAt = 1; !hasSurvived; deathAt += 7) {
      const { there, check, run } = await twoSites();
      let operations = 0;
      there.objects.interfere = () => {
        if (++operations >= deathAt) throw new Error('the copying was killed');
      };
      const died = await run().then(
        () => false,
        () => true,
      );
      there.objects.interfere = undefined;
      hasSurvived = !died;
      expect((await there.volumes.fsck()).findings).toEqual([]);
      const had = there.objects.keys('chunks/').length;
      const { copiedChunks } = await run();
      expect(copiedChunks).toBe(50 - had);
      // Whoever was killed lets go of nothing.
      for (const key of there.objects.keys('holds/')) await there.objects.delete(key);
      await check();
    }
  }, 30_000);

  it('is safe beside collection at both sites, and deletion at the first', async () => {
    const { here, there, publish, check, run } = await twoSites();
    const doomed = await publish(chunksOf(6), 'images/one');
    // Garbage at the other site that the copying wants to have.
    await run({ volumes: 'images' });
    await there.volumes.deleteVersion('images/one', 1);
    let collections = 0;
    there.objects.interfere = async (operation, key) => {
      if (operation !== 'put' || !key.startsWith('chunks/') || collections++ > 0) return;
      await here.volumes.deleteVersion(doomed.volume, doomed.number);
      await here.volumes.collectGarbage(NO_GRACE);
      await there.volumes.collectGarbage(NO_GRACE);
    };
    await run();
    expect(collections).toBeGreaterThan(1);
    there.objects.interfere = undefined;
    await here.volumes.deleteVersion('images/one', 1);
    await there.volumes.deleteVersion(doomed.volume, doomed.number);
    await check();
  });

  it('holds only what is new where the other site has an earlier version', async () => {
    const { there, publish, check, run } = await twoSites();
    const home = chunksOf(40);
    const changed = (): Buffer => Buffer.concat([home, chunksOf(1)]);
    await publish(changed(), 'images/two');
    await run();
    await publish(changed(), 'images/two');
    const held: string[] = [];
    there.objects.interfere = (operation, key) => {
      if (operation === 'put' && key.includes('/need-')) held.push(key);
    };
    const movedBefore = there.objects.moved.in;
    const { copiedBytes, skippedChunks } = await run({ volumes: 'images' });
    expect(skippedChunks).toBe(40);
    // The manifest of the earlier version, the new chunk, the new manifest.
    expect(held).toHaveLength(3);
    expect(there.objects.moved.in - movedBefore - copiedBytes).toBeLessThan(41 * 32 + 1_000);
    await check();
  });

  it('relies on an earlier version also when that is deleted and collected at the other site meanwhile', async () => {
    const { there, publish, run } = await twoSites();
    const home = chunksOf(40);
    await publish(home, 'profiles/bob', KEY);
    await run();
    const { id } = await publish(Buffer.concat([home, chunksOf(1)]), 'profiles/bob', KEY);
    let collections = 0;
    there.objects.interfere = async (operation, key) => {
      if (operation !== 'put' || !key.startsWith('chunks/') || collections++ > 0) return;
      await there.volumes.deleteVersion('profiles/bob', 1);
      await there.volumes.collectGarbage(NO_GRACE);
    };
    await run({ volumes: 'profiles' });
    there.objects.interfere = undefined;
    expect(collections).toBe(1);
    expect((await there.volumes.listVersions('profiles/bob')).map((version) => version.id)).toEqual([id]);
    expect((await there.volumes.fsck()).findings).toEqual([]);
  });

  it('brings again what an earlier version of the other site has lost', async () => {
    const { there, publish, check, run } = await twoSites();
    const home = chunksOf(8);
    await run();
    await publish(home, 'images/two');
    const before = new Set(there.objects.keys('chunks/'));
    await run();
    const lost = there.objects.keys('chunks/').filter((key) => !before.has(key));
    await there.objects.delete(lost[0] ?? '');
    await publish(Buffer.concat([home, chunksOf(1)]), 'images/two');
    await run({ volumes: 'images' });
    await check();
  });

  it('verifies each chunk on the way, leaves out what is damaged, and brings it when it is well again', async () => {
    const { here, there, check, run } = await twoSites();
    const well = [...here.objects.objects].map(([key, object]) => [key, { ...object }] as const);
    const manifest = (await here.volumes.listVersions('profiles/alice'))[0]?.id ?? '';
    const before = new Set(here.objects.keys('chunks/'));
    for (const key of before) if (Buffer.from(await here.objects.get(key))[0] === 2) here.objects.damage(key);
    const [plain = ''] = here.objects.keys('chunks/');
    here.objects.damageNextGets(plain, 1);
    const result = await run();
    expect(result).toMatchObject({
      versions: 2,
      notReplicated: [{ volume: 'profiles/alice', number: 1, reason: 'chunk-damaged' }],
    });
    expect(there.objects.keys('manifests/')).not.toContain(`manifests/${manifest}`);
    for (const [key, object] of well) here.objects.objects.set(key, object);
    await run();
    await check();
  });

  it('says when a number is other content at the other site, or was deleted there, and changes nothing', async () => {
    const { there, run } = await twoSites();
    const theirs = await there.write(chunksOf(1), 'images/one');
    await there.write(chunksOf(1), 'profiles/alice');
    await there.volumes.deleteVersion('profiles/alice', 1);
    const { notReplicated, versions } = await run();
    expect(notReplicated).toEqual([
      { volume: 'images/one', number: 1, reason: 'version-exists' },
      { volume: 'profiles/alice', number: 1, reason: 'version-exists' },
    ]);
    expect(versions).toBe(1);
    expect((await there.volumes.listVersions('images/one'))[0]?.id).toBe(theirs.id);
  });

  it('stops when the caller gives up or a store is gone', async () => {
    const { here, there, run } = await twoSites();
    const abort = new AbortController();
    there.objects.interfere = (operation, key) => {
      if (operation === 'put' && key.startsWith('chunks/')) abort.abort(new Error('the caller gave up'));
    };
    await expect(run({ signal: abort.signal })).rejects.toThrow('the caller gave up');
    there.objects.interfere = undefined;
    expect(await there.volumes.listVersions()).toEqual([]);
    for (const { objects } of [here, there]) expect(objects.keys('holds/')).toEqual([]);
    there.objects.isUnavailable = true;
    await expect(run()).rejects.toMatchObject({ code: 'store-unavailable' });
  });
});
