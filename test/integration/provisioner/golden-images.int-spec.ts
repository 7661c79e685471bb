import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ImageVersionView } from '#libs/contracts';
import { ImageCatalogue, type ImageManifest, ImagePublishing } from '#libs/images';
import { until } from '#libs/testing';
import { VolumeStore } from '#libs/volumes';
import { FleetFixture, type FleetHost } from './fleet-fixture.js';

const MiB = 1024 * 1024;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('golden images in the volume store', () => {
  let fleet: FleetFixture;
  let host: FleetHost;

  beforeEach(async () => {
    fleet = await FleetFixture.create();
    host = await fleet.addHost('host-1');
  });
  afterEach(() => fleet?.destroy());

  /** A built image whose root disk has holes, and this content. */
  async function build(name: string, root: Buffer): Promise<{ digest: string; location: string; sizeBytes: number }> {
    const dir = join(fleet.stateDir, 'images', 'debian', name);
    await mkdir(dir, { recursive: true });
    const contents = { 'root.img': root, vmlinuz: Buffer.from('kernel'), 'initrd.img': Buffer.from(`initrd ${name}`) };
    const files = {} as ImageManifest['files'];
    for (const [file, content] of Object.entries(contents)) {
      await writeFile(join(dir, file), content);
      files[file as keyof typeof files] = { bytes: content.length, sha256: sha256(content) };
    }
    const digest = sha256(Buffer.concat(Object.values(contents)));
    const about = { formatVersion: 1 as const, name: 'debian', recipeDigest: digest, digest, kernelArguments: 'quiet' };
    const manifest: ImageManifest = { ...about, builtAt: new Date().toISOString(), files };
    await writeFile(join(dir, 'image.json'), JSON.stringify(manifest));
    return { digest, location: `debian/${name}`, sizeBytes: root.length };
  }

  async function importImage(name: string, root: Buffer) {
    const content = await build(name, root);
    const version = await fleet.app
      .get(ImageCatalogue)
      .addBuilt({ name: 'debian', displayName: 'Debian', ...content }, 'host-1');
    return { ...version, ...content };
  }

  const versions = async (): Promise<readonly ImageVersionView[]> =>
    (await fleet.app.get(ImageCatalogue).view('debian'))?.versions ?? [];
  const version = async (number: number) => (await versions()).find((each) => each.number === number);
  const isIn = (number: number, state: string) =>
    until(`version ${number} is ${state}`, async () => (await version(number))?.state === state);
  const copyOf = (stateDir: string, digest: string, file = 'root.img') => join(stateDir, 'image-copies', digest, file);
  const rootDisk = (seed = 0): Buffer => {
    const disk = Buffer.alloc(8 * MiB);
    for (const at of [0, 3, 6]) randomBytes(MiB).copy(disk, at * MiB);
    disk.writeUInt32LE(seed, 3 * MiB);
    return disk;
  };

  it('writes what a host built to the store, uses it there as it is, and puts it to use', async () => {
    const first = await importImage('one', rootDisk());
    await fleet.addPool();
    await isIn(1, 'published');
    await fleet.settled(2);
    const copy = copyOf(fleet.stateDir, first.digest);
    expect((await stat(copy)).ino).toBe((await stat(join(fleet.stateDir, 'images/debian/one/root.img'))).ino);
    const paths = [...host.machines.machines.values()].map(({ spec }) => spec.image.rootDiskPath);
    expect(paths).toEqual([copy, copy]);
    const prepared = await until('a parent', () => host.machines.prepared[0]);
    expect(prepared).toMatchObject({ imageDigest: first.digest });
    const stored = await host.app.get(VolumeStore).listVersions();
    expect(stored.map(({ volume, number }) => `${volume} ${number}`)).toEqual([
      'images/debian/initrd 1',
      'images/debian/kernel 1',
      'images/debian/root 1',
    ]);
    const { storedBytes, hosts } = (await version(1)) as ImageVersionView;
    expect(storedBytes).toBeGreaterThan(3 * MiB);
    expect(storedBytes).toBeLessThan(4 * MiB);
    expect(hosts).toEqual([{ name: 'host-1', ready: true, failure: null }]);
  });

  it('makes the image on a host that lacks it, fetching only what its earlier version lacks', async () => {
    const other = join(fleet.stateDir, 'host-2');
    const disk = rootDisk();
    // There from the beginning: a version waits only for hosts that are known.
    const second = await fleet.addHost('host-2', undefined, { stateDir: other });
    await importImage('one', disk);
    await isIn(1, 'published');
    const fetchedBefore = second.app.get(VolumeStore).fetched.fetchedChunks;
    expect(fetchedBefore).toBe(4 * 3 + 2);
    disk.write('an update', 6 * MiB);
    const newer = await importImage('two', disk);
    await isIn(2, 'published');
    expect(await version(1)).toMatchObject({ state: 'retired' });
    expect((await version(2))?.hosts).toHaveLength(2);
    expect((await readFile(copyOf(other, newer.digest))).equals(disk)).toBe(true);
    // The changed chunk, and the small initrd, which is another one.
    expect(second.app.get(VolumeStore).fetched.fetchedChunks - fetchedBefore).toBe(2);
  });

  it('serves the earlier version until the new one is ready, and gives it back at once', async () => {
    const first = await importImage('one', rootDisk());
    await fleet.addPool();
    await isIn(1, 'published');
    await fleet.settled(2);
    // One may be met by the round that asks again for the parents of the pool, which must not let the new version by.
    host.machines.hangNext('prepare');
    host.machines.hangNext('prepare');
    const newer = await importImage('two', rootDisk());
    await isIn(2, 'validating');
    expect((await version(1))?.state).toBe('published');
    expect([...host.machines.machines.values()].map(({ spec }) => spec.image.digest)).toEqual(
      Array(2).fill(first.digest),
    );
    await fleet.removeHost(host);
    while (host.machines.takeHang('prepare'));
    host = await fleet.addHost('host-1', host.machines);
    await isIn(2, 'published');
    const digests = () => [...host.machines.machines.values()].map(({ spec }) => spec.image.digest);
    await until('all spares are of the new one', async () => digests().every((digest) => digest === newer.digest));
    await fleet.app.get(ImagePublishing).rollBack('debian', 2, 'ivan');
    expect((await version(1))?.state).toBe('published');
    await until('all spares are of the old one', async () => digests().every((digest) => digest === first.digest));
  });

  it('goes on with an import after it was broken off', async () => {
    const large = Buffer.concat([randomBytes(48 * MiB), Buffer.alloc(MiB)]);
    const { digest } = await importImage('one', large);
    const chunks = join(fleet.stateDir, 'store', 'chunks');
    await until('some of it is written', async () => (await readdir(chunks).catch(() => [])).length > 10);
    await fleet.removeHost(host);
    host = await fleet.addHost('host-1');
    await isIn(1, 'published');
    expect((await host.app.get(VolumeStore).listVersions('images/debian/root')).map(({ number }) => number)).toEqual([
      1,
    ]);
    expect((await host.app.get(VolumeStore).fsck()).findings).toEqual([]);
    expect(sha256(await readFile(copyOf(fleet.stateDir, digest)))).toBe(sha256(large));
  });

  it('refuses what was changed after it was built', async () => {
    const disk = rootDisk();
    await build('one', disk);
    const file = await open(join(fleet.stateDir, 'images/debian/one/root.img'), 'r+');
    await file.write(Buffer.from('tampered'), 0, 8, 100);
    await file.utimes(new Date(), new Date(Date.now() + 5_000));
    await file.close();
    const content = { name: 'debian', displayName: 'Debian', location: 'debian/one', sizeBytes: disk.length };
    const manifest = JSON.parse(await readFile(join(fleet.stateDir, 'images/debian/one/image.json'), 'utf8'));
    await fleet.app.get(ImageCatalogue).addBuilt({ ...content, digest: manifest.digest }, 'host-1');
    await isIn(1, 'failed');
    expect((await version(1))?.failure).toMatch(/root\.img is damaged/);
    expect(await host.app.get(VolumeStore).listVersions()).toEqual([]);
  });

  it('never uses a version that is damaged in the store, says so, and recovers when it is mended', async () => {
    const first = await importImage('one', rootDisk());
    await fleet.addPool();
    await isIn(1, 'published');
    await importImage('two', rootDisk());
    await isIn(2, 'published');
    await fleet.settled(2);
    const chunk = await oneChunkOf('images/debian/root', 1);
    await rename(chunk, `${chunk}.away`);
    await writeFile(chunk, 'damaged');
    for (const path of ['images/debian/one', `image-copies/${first.digest}`]) {
      // At once, as the host may be making another one meanwhile.
      await rename(join(fleet.stateDir, path), join(fleet.stateDir, `${path}.away`));
    }
    await until('the host knows', async () => (await version(1))?.hosts.every(({ ready }) => !ready));
    const publishing = fleet.app.get(ImagePublishing);
    await publishing.publish('debian', 1, 'ivan');
    await isIn(1, 'failed');
    expect((await version(1))?.failure).toMatch(/chunks\/\w\w\/\w+ is damaged in the store/);
    expect((await version(2))?.state).toBe('published');
    expect((await readdir(join(fleet.stateDir, 'image-copies', first.digest))).includes('image.json')).toBe(false);
    await rename(`${chunk}.away`, chunk);
    await publishing.publish('debian', 1, 'ivan');
    await isIn(1, 'published');
  });

  /** The file of a chunk that only this version of the volume has. */
  async function oneChunkOf(volume: string, number: number): Promise<string> {
    const store = host.app.get(VolumeStore);
    const others = await store.listVersions(volume);
    const digestsOf = async (id: string): Promise<string[]> => {
      const bytes = await readFile(join(fleet.stateDir, 'store', 'manifests', id));
      return (bytes
        .subarray(bytes.length % 32)
        .toString('hex')
        .match(/.{64}/g) ?? []) as string[];
    };
    const mine = others.find((each) => each.number === number);
    const foreign = new Set(
      (await Promise.all(others.filter((each) => each !== mine).map(({ id }) => digestsOf(id)))).flat(),
    );
    const own = (await digestsOf(mine?.id ?? '')).filter((digest) => !foreign.has(digest)).at(-1) ?? '';
    return join(fleet.stateDir, 'store', 'chunks', own.slice(0, 2), own);
  }
});
