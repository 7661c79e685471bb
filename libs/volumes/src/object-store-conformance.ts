import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ObjectFacts, ObjectStore } from './object-store.js';

/** What the conformance suite needs from each kind of store. */
export interface ObjectStoreSetup {
  /** Another store object over the same place, as another process would make it. */
  newStore(): ObjectStore;
  /** Whether of writers that race for a key exactly one is told that it made it. */
  readonly settlesRaces: boolean;
  /** A store that cannot be reached. */
  unreachable(): ObjectStore;
  close(): Promise<void>;
}

/** The rules of ObjectStore, for every implementation. */
export function describeObjectStore(name: string, setup: () => Promise<ObjectStoreSetup>): void {
  describe(`${name} object store`, () => {
    let given: ObjectStoreSetup;
    let store: ObjectStore;
    const folder = (): string => `test/${randomUUID()}/`;
    const text = (value: string): Uint8Array => Buffer.from(value);

    const listed = async (from: ObjectStore, prefix: string): Promise<ObjectFacts[]> => {
      const found: ObjectFacts[] = [];
      for await (const object of from.list(prefix)) found.push(object);
      return found.sort((a, b) => (a.key < b.key ? -1 : 1));
    };

    beforeAll(async () => {
      given = await setup();
      store = given.newStore();
    });

    afterAll(() => given.close());

    it.each([0, 1, 4096, 4 * 1024 * 1024 + 17])(
      'gives back an object of %d bytes, to every store over the place',
      async (size) => {
        const key = `${folder()}object`;
        const bytes = randomBytes(size);
        expect(await store.has(key)).toBe(false);
        expect(await store.put(key, bytes)).toBe('created');
        const other = given.newStore();
        expect(Buffer.from(await other.get(key)).equals(bytes)).toBe(true);
        expect(await other.has(key)).toBe(true);
      },
    );

    it('never overwrites', async () => {
      const key = `${folder()}object`;
      expect(await store.put(key, text('first'))).toBe('created');
      expect(await store.put(key, text('first'))).toBe('existed');
      expect(await given.newStore().put(key, text('second'))).toBe('existed');
      expect(Buffer.from(await store.get(key)).toString()).toBe('first');
    });

    it('settles a race for a key: all but one are told that it existed, and its bytes are those of the one', async () => {
      const key = `${folder()}object`;
      const stores = Array.from({ length: 8 }, () => given.newStore());
      const results = await Promise.all(stores.map((each, n) => each.put(key, text(`writer ${n}`.repeat(1000)))));
      const kept = Buffer.from(await store.get(key)).toString();
      const created = results.flatMap((result, n) => (result === 'created' ? [`writer ${n}`.repeat(1000)] : []));
      expect(created).toContain(kept);
      if (given.settlesRaces) expect(created).toHaveLength(1);
    });

    it('says object-missing, and deletes what is not there', async () => {
      const key = `${folder()}object`;
      const missing = { name: 'VolumeError', code: 'object-missing' };
      await expect(store.get(key)).rejects.toMatchObject(missing);
      await store.delete(key);
      await store.put(key, text('x'));
      await store.delete(key);
      await store.delete(key);
      await expect(store.get(key)).rejects.toMatchObject(missing);
      expect(await store.has(key)).toBe(false);
      expect(await listed(store, key.replace(/object$/, ''))).toEqual([]);
      expect(await store.put(key, text('again'))).toBe('created');
    });

    it('lists what begins with a prefix, and how large and old it is', async () => {
      const inside = folder();
      const beside = inside.replace(/\/$/, 'x/');
      const before = Date.now();
      for (const key of [`${inside}a`, `${inside}b/c`, `${inside}b/d`, `${beside}e`]) await store.put(key, text(key));
      const found = await listed(given.newStore(), inside);
      expect(found.map(({ key }) => key)).toEqual([`${inside}a`, `${inside}b/c`, `${inside}b/d`]);
      for (const { key, bytes, modifiedAt } of found) {
        expect(bytes).toBe(key.length);
        expect(Math.abs(modifiedAt.getTime() - before)).toBeLessThan(10_000);
      }
      expect((await listed(store, `${inside}b/`)).map(({ key }) => key)).toEqual([`${inside}b/c`, `${inside}b/d`]);
      expect(await listed(store, folder())).toEqual([]);
    });

    it('lists more than fit on a page', async () => {
      const inside = folder();
      const keys = Array.from({ length: 1100 }, (_, n) => `${inside}${String(n).padStart(5, '0')}`);
      for (let at = 0; at < keys.length; at += 50) {
        await Promise.all(keys.slice(at, at + 50).map((key) => store.put(key, text('x'))));
      }
      expect((await listed(store, inside)).map(({ key }) => key)).toEqual(keys);
    });

    it.each(['', '/', '/a', 'a/', 'a//b', '../a', 'a/../b', 'a/./b', '.a', 'A', 'a b', 'a\0', 'x'.repeat(600)])(
      'refuses the key %j',
      async (key) => {
        const invalid = { name: 'VolumeError', code: 'invalid' };
        await expect(store.put(key, text('x'))).rejects.toMatchObject(invalid);
        await expect(store.get(key)).rejects.toMatchObject(invalid);
        await expect(store.has(key)).rejects.toMatchObject(invalid);
        await expect(store.delete(key)).rejects.toMatchObject(invalid);
      },
    );

    it('stops when the caller gives up', async () => {
      const key = `${folder()}object`;
      const signal = AbortSignal.abort(new Error('the caller gave up'));
      await expect(store.put(key, text('x'), { signal })).rejects.toThrow('the caller gave up');
      await expect(store.get(key, { signal })).rejects.toThrow('the caller gave up');
      expect(await store.has(key)).toBe(false);
    });

    it('says store-unavailable when the place is out of reach', async () => {
      const unavailable = { name: 'VolumeError', code: 'store-unavailable' };
      const gone = given.unreachable();
      await expect(gone.put('a', text('x'))).rejects.toMatchObject(unavailable);
      await expect(gone.get('a')).rejects.toMatchObject(unavailable);
      await expect(gone.has('a')).rejects.toMatchObject(unavailable);
      await expect(listed(gone, 'a/')).rejects.toMatchObject(unavailable);
      await expect(gone.delete('a')).rejects.toMatchObject(unavailable);
    });
  });
}
