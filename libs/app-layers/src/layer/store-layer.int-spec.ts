import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import type { AppLayerManifest } from '#libs/contracts';
import { MemoryObjectStore, VolumeStore, versionIdOf } from '#libs/volumes';
import { LAYER_CHUNK_BYTES } from './layer-chunks.js';
import { readLayerFolder, writeLayerFolder } from './layer-folder.js';
import { storeLayer } from './store-layer.js';

const BYTES = 5 * LAYER_CHUNK_BYTES + 17;

describe('storeLayer', () => {
  let dir: string;
  let layerPath: string;
  let volumes: VolumeStore;

  const manifest = (volumeId: string): AppLayerManifest => ({
    ...{ formatVersion: 1, name: 'notes', displayName: 'Notes', description: '', label: '1', volumeId },
    ...{ os: { id: 'debian', versionId: '12', architecture: 'amd64' }, base: { image: 'debian', digest: 'd' } },
    ...{ layerBytes: BYTES, installedBytes: BYTES, packages: [], entries: [{ id: 'notes.desktop', name: 'Notes' }] },
    icon: { mediaType: 'image/png', base64: 'AAAA' },
  });

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'goldleaf-store-layer-'));
    layerPath = join(dir, 'notes.erofs');
    await writeFile(layerPath, randomBytes(BYTES));
    volumes = new VolumeStore({ objects: new MemoryObjectStore(), logger: pino({ enabled: false }) });
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('writes the version that was signed, in chunks of layers, and once', async () => {
    const id = await versionIdOf(layerPath, { chunkBytes: LAYER_CHUNK_BYTES });
    const layer = { layerPath, manifest: manifest(id) };
    expect(await storeLayer(volumes, layer)).toMatchObject({ id, volume: 'app-notes', number: 1 });
    expect(await storeLayer(volumes, layer)).toMatchObject({ id, number: 1 });
    expect((await volumes.usage()).logicalBytes).toBe(BYTES);
  });

  it('refuses what is not what was built', async () => {
    const id = await versionIdOf(layerPath);
    await expect(storeLayer(volumes, { layerPath, manifest: manifest(id) })).rejects.toMatchObject({
      code: 'layer-damaged',
    });
  });

  it('refuses a folder of the time when layers had other chunks', async () => {
    await writeLayerFolder(dir, { layerPath, manifest: manifest('0'.repeat(64)) });
    expect((await readLayerFolder(dir)).layerPath).toBe(layerPath);
    const file = { formatVersion: 1, layer: 'notes.erofs', manifest: manifest('0'.repeat(64)) };
    await writeFile(join(dir, 'layer.json'), JSON.stringify(file));
    await expect(readLayerFolder(dir)).rejects.toMatchObject({ code: 'layer-damaged' });
  });
});
