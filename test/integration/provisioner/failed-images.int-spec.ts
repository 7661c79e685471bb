import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readRows } from '#libs/database';
import { ImageIntake, type StoredImage } from '#libs/images';
import { FleetFixture } from './fleet-fixture.js';

const id = 'b'.repeat(64);
const file = { bytes: 1, sha256: id };
const about = { formatVersion: 1 as const, name: 'debian', recipeDigest: id, digest: id, kernelArguments: 'quiet' };
const files = { 'root.img': file, vmlinuz: file, 'initrd.img': file };
const volume = (name: string) => ({ volume: `images/debian/${name}`, number: 1, id });
const stored: StoredImage = {
  manifest: { ...about, builtAt: '2026-01-01T00:00:00.000Z', files },
  files: { 'root.img': volume('root'), vmlinuz: volume('kernel'), 'initrd.img': volume('initrd') },
  os: null,
};

describe('a golden image that failed', () => {
  let fleet: FleetFixture;

  beforeEach(async () => {
    fleet = await FleetFixture.create();
    await fleet.addHost('host-1');
  });
  afterEach(() => fleet?.destroy());

  it('is forgotten by the store so long after it was asked for, however often it has been tried since', async () => {
    const { dataSource } = fleet.database;
    const intake = fleet.app.get(ImageIntake, { strict: false });
    const versionId = await fleet.publish();
    // Tried again, and failed again, a moment ago.
    const fail = `UPDATE image_versions SET state = 'failed', failure = 'x', stored = $2, state_changed_at = now(),
                         requested_at = now() - make_interval(days => $3) WHERE id = $1`;
    await readRows(dataSource, fail, [versionId, JSON.stringify(stored), 29]);
    expect(await intake.forgetFailed(30)).toEqual([]);
    await readRows(dataSource, fail, [versionId, JSON.stringify(stored), 31]);
    expect(await intake.forgetFailed(30)).toEqual([{ stored }]);
    expect(await intake.forgetFailed(30)).toEqual([]);
  });
});
