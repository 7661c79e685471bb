import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MemoryObjectStore } from '../memory/memory-object-store.js';
import { CHUNK_BYTES, chunksOf, memoryVolumes, silentLogger } from './store-fixture.js';
import { VolumeStore } from './volume-store.js';

/** Sparse content: pieces at any offset of a volume of any size, the rest zeros. */
const sparseContent = fc
  .record({
    sizeBytes: fc.integer({ min: 0, max: 12 * CHUNK_BYTES }),
    pieces: fc.array(
      fc.record({ at: fc.nat(12 * CHUNK_BYTES), bytes: fc.uint8Array({ minLength: 1, maxLength: 2 * CHUNK_BYTES }) }),
      { maxLength: 5 },
    ),
  })
  .map(({ sizeBytes, pieces }) => {
    const content = Buffer.alloc(sizeBytes);
    for (const { at, bytes } of pieces) if (at < sizeBytes) content.set(bytes.subarray(0, sizeBytes - at), at);
    return content;
  });

async function* inPieces(content: Buffer, lengths: readonly number[]): AsyncIterable<Uint8Array> {
  for (let at = 0, n = 0; at < content.length; n++) {
    const length = lengths[n % lengths.length] ?? 1;
    yield content.subarray(at, at + length);
    at += length;
  }
}

describe('VolumeStore', () => {
  it('reads back any sparse content at any offset, however it arrived', async () => {
    const pieceLengths = fc.array(fc.integer({ min: 1, max: 3 * CHUNK_BYTES }), { minLength: 1, maxLength: 4 });
    const ranges = fc.array(fc.tuple(fc.nat(10_000), fc.nat(10_000)), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(sparseContent, pieceLengths, ranges, async (content, lengths, parts) => {
        const { volumes, objects } = memoryVolumes();
        const options = { volume: 'v', chunkBytes: CHUNK_BYTES };
        const version = await volumes.writeVersion(inPieces(content, lengths), options);
        expect(version).toMatchObject({ number: 1, sizeBytes: content.length });
        const reader = await volumes.openVersion(version.id);
        for (const [a, b] of [...parts, [0, 10_000] as const]) {
          const from = Math.floor((Math.min(a, b) * content.length) / 10_000);
          const to = Math.floor((Math.max(a, b) * content.length) / 10_000);
          expect(Buffer.from(await reader.read(from, to - from)).equals(content.subarray(from, to))).toBe(true);
          let at = from;
          for (const { offset, length, isHole } of reader.extents(from, to - from)) {
            expect(offset).toBe(at);
            at += length;
            if (isHole) expect(content.subarray(offset, at).every((byte) => byte === 0)).toBe(true);
          }
          expect(at).toBe(to);
        }
        await reader.close();
        expect(objects.keys('holds/')).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it('stores nothing for holes, and each chunk once', async () => {
    const { volumes, objects, write } = memoryVolumes();
    await write(Buffer.alloc(100 * CHUNK_BYTES));
    expect(objects.keys('chunks/')).toEqual([]);
    const one = chunksOf(1);
    const version = await write(Buffer.concat([one, Buffer.alloc(CHUNK_BYTES), one, one]));
    expect(objects.keys('chunks/')).toHaveLength(1);
    expect(version).toMatchObject({ number: 2, dataBytes: 3 * CHUNK_BYTES });
    expect(version.written).toMatchObject({ writtenBytes: CHUNK_BYTES, reusedBytes: 2 * CHUNK_BYTES });
    const usage = await volumes.usage();
    expect(usage.volumes).toMatchObject([{ volume: 'images/test', versions: 2, sharedBytes: 0 }]);
    expect(usage).toMatchObject({ logicalBytes: 104 * CHUNK_BYTES, unneededBytes: 0 });
    expect(usage.volumes[0]?.uniqueBytes).toBe(usage.storedBytes);
  });

  it('writes only what a changed version lacks, and tells what volumes share', async () => {
    const { volumes, write, read } = memoryVolumes();
    const content = chunksOf(50);
    await write(content, 'a');
    content[20 * CHUNK_BYTES] = (content[20 * CHUNK_BYTES] ?? 0) ^ 1;
    const changed = await write(content, 'b');
    expect(changed.written.writtenBytes).toBe(CHUNK_BYTES);
    expect((await read(changed.id)).equals(content)).toBe(true);
    const [a, b] = (await volumes.usage()).volumes;
    expect(a?.uniqueBytes).toBe(CHUNK_BYTES + 1);
    expect(b?.uniqueBytes).toBe(CHUNK_BYTES + 1);
    expect(a?.sharedBytes).toBe(49 * (CHUNK_BYTES + 1));
  });

  it('counts numbers upwards, gives none twice, and takes the same content under the same number', async () => {
    const { volumes, write } = memoryVolumes();
    const [one, two] = [chunksOf(2), chunksOf(2)];
    await write(one);
    await write(two);
    await volumes.deleteVersion('images/test', 2);
    expect((await write(two)).number).toBe(3);
    const again = await write(one, 'images/test', { number: 1 });
    expect((await volumes.listVersions('images/test')).map(({ number }) => number)).toEqual([1, 3]);
    expect(again.number).toBe(1);
    const taken = { code: 'version-exists' };
    await expect(write(two, 'images/test', { number: 1 })).rejects.toMatchObject(taken);
    await expect(write(two, 'images/test', { number: 2 })).rejects.toMatchObject(taken);
    await write(one, 'images/test/below');
    expect((await volumes.listVersions('images/test')).length).toBe(2);
    expect((await volumes.listVersions()).length).toBe(3);
    const racing = await Promise.all(Array.from({ length: 10 }, () => write(chunksOf(1), 'race')));
    expect(racing.map(({ number }) => number).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('fetches a damaged chunk again, and names one that stays damaged or is missing', async () => {
    const { volumes, objects, write, read } = memoryVolumes();
    const content = chunksOf(3);
    const { id } = await write(content);
    const [key = '', other = ''] = objects.keys('chunks/');
    objects.damageNextGets(key, 1);
    expect((await read(id)).equals(content)).toBe(true);
    expect(volumes.fetched.fetchedAgain).toBe(1);
    objects.damage(key);
    await expect(read(id)).rejects.toMatchObject({ code: 'chunk-damaged', message: expect.stringContaining(key) });
    await objects.delete(other);
    const named = [
      { key, problem: 'damaged', versions: [{ volume: 'images/test', number: 1 }] },
      { key: other, problem: 'missing', versions: [{ volume: 'images/test', number: 1 }] },
    ];
    const { findings } = await volumes.fsck();
    expect([...findings].sort((a, b) => (a.key < b.key ? -1 : 1))).toEqual(named);
    expect((await volumes.fsck({ quick: true })).findings).toEqual([named[1]]);
    await volumes.fsck({ removeDamaged: true });
    await write(content);
    expect((await volumes.fsck()).findings).toEqual([]);
    expect((await read(id)).equals(content)).toBe(true);
  });

  it('refuses a damaged manifest and a damaged name, and fsck says which', async () => {
    const { volumes, objects, write, read } = memoryVolumes();
    const first = await write(chunksOf(2));
    await write(chunksOf(2));
    objects.damage(`manifests/${first.id}`);
    await expect(read(first.id)).rejects.toMatchObject({ code: 'manifest-damaged' });
    const name = 'versions/images/test/_00000002';
    objects.damage(name);
    await expect(volumes.listVersions()).rejects.toMatchObject({ code: 'version-damaged' });
    expect((await volumes.fsck()).findings).toEqual([
      { key: `manifests/${first.id}`, problem: 'damaged', versions: [{ volume: 'images/test', number: 1 }] },
      { key: name, problem: 'damaged', versions: [{ volume: 'images/test', number: 2 }] },
    ]);
    await expect(volumes.collectGarbage({ graceMs: -1 })).rejects.toMatchObject({ name: 'VolumeError' });
    expect(objects.keys('chunks/')).toHaveLength(4);
    await expect(volumes.openVersion('0'.repeat(64))).rejects.toMatchObject({ code: 'version-missing' });
  });

  it('fails a read cleanly when the store hangs or is gone, and reads again when it is back', async () => {
    const { objects, write } = memoryVolumes();
    const content = chunksOf(2);
    const { id } = await write(content);
    const volumes = new VolumeStore({ objects, logger: silentLogger, readDeadlineMs: 50 });
    const reader = await volumes.openVersion(id);
    objects.interfere = () => new Promise(() => undefined);
    await expect(reader.read(0, 10)).rejects.toMatchObject({ code: 'store-unavailable' });
    const abort = new AbortController();
    const given = reader.read(0, 10, { signal: abort.signal });
    abort.abort(new Error('the caller gave up'));
    await expect(given).rejects.toThrow('the caller gave up');
    objects.interfere = undefined;
    objects.isUnavailable = true;
    await expect(reader.read(0, 10)).rejects.toMatchObject({ code: 'store-unavailable' });
    objects.isUnavailable = false;
    expect(Buffer.from(await reader.read(0, content.length)).equals(content)).toBe(true);
    await expect(reader.read(1, content.length)).rejects.toMatchObject({ code: 'invalid' });
    await reader.close();
    await expect(reader.read(0, 1)).rejects.toMatchObject({ code: 'closed' });
  });

  it('leaves no readable but wrong version wherever a writer dies, and the next one goes on where it was', async () => {
    const before = chunksOf(30);
    const after = Buffer.from(before);
    for (const n of [3, 4, 17]) chunksOf(1).copy(after, n * CHUNK_BYTES);
    let hasSurvived = false;
    for (let deathAt = 1; !hasSurvived; deathAt++) {
      const { volumes, objects, write, read } = memoryVolumes();
      const first = await write(before);
      let operations = 0;
      // Whoever died does nothing any more.
      objects.interfere = () => {
        if (++operations >= deathAt) throw new Error('the writer was killed');
      };
      const died = await write(after).then(
        () => false,
        () => true,
      );
      objects.interfere = undefined;
      const { findings } = await volumes.fsck();
      expect(findings).toEqual([]);
      const versions = await volumes.listVersions();
      expect((await read(first.id)).equals(before)).toBe(true);
      for (const { id } of versions.slice(1)) expect((await read(id)).equals(after)).toBe(true);
      hasSurvived = !died;
      if (hasSurvived) expect(versions).toHaveLength(2);
      const second = await write(after);
      expect((await read(second.id)).equals(after)).toBe(true);
      if (versions.length === 2) expect(second.written.writtenBytes).toBe(0);
    }
  });

  it('stops a write that is given up, and lets go of all it held', async () => {
    const { objects, volumes, write } = memoryVolumes();
    const abort = new AbortController();
    objects.interfere = (operation, key) => {
      if (operation === 'put' && key.startsWith('chunks/')) abort.abort(new Error('the caller gave up'));
    };
    await expect(write(chunksOf(20), 'v', { signal: abort.signal })).rejects.toThrow('the caller gave up');
    expect(await volumes.listVersions()).toEqual([]);
    expect(objects.keys('holds/')).toEqual([]);
    expect(objects.keys('manifests/')).toEqual([]);
  });

  it.each(['', '/', 'A', '../x', 'a/../b', '_1', 'a/b/c/d', 'a b'])('refuses the volume name %j', async (volume) => {
    await expect(memoryVolumes().write(chunksOf(1), volume)).rejects.toMatchObject({ code: 'invalid' });
  });

  it('does not let what a store says make it allocate more than a chunk', async () => {
    const objects = new MemoryObjectStore();
    const { write, read } = memoryVolumes({ objects });
    const { id } = await write(Buffer.alloc(CHUNK_BYTES, 'packs well'));
    const [key = ''] = objects.keys('chunks/');
    const stored = Buffer.from(await objects.get(key));
    expect(stored[0]).toBe(1);
    stored.writeUInt32LE(0xffff_ffff, 1);
    await objects.delete(key);
    await objects.put(key, stored);
    await expect(read(id)).rejects.toMatchObject({ code: 'chunk-damaged' });
  });
});
