import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Secret } from '#libs/config';
import { ProfileKeys, parseMasterKey, type ReplicatedStore } from '#libs/profiles';
import { until } from '#libs/testing';
import { Site } from './profile-sites.js';

const newKey = () => new Secret(randomBytes(32).toString('base64'));

describe('the master key of profiles', () => {
  const [first, second] = [newKey(), newKey()];
  let folder: string;
  let replica: string;
  const sites: Site[] = [];
  const open = async (name: string, masterKey: Secret) => {
    const site = await Site.open(name, masterKey);
    sites.push(site);
    return site;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'goldleaf-master-key-'));
    replica = pathToFileURL(join(folder, 'replica')).href;
  });
  afterAll(async () => {
    await Promise.all(sites.map((site) => site.destroy()));
    await rm(folder, { recursive: true, force: true });
  });

  /** Whether what the records in a store say opens with the second key alone, record by record. */
  async function opensWithSecond(store: string): Promise<boolean[]> {
    const records = join(store, 'profile-records');
    const entries = await readdir(records, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    const contents = await Promise.all(files.map(async (file) => JSON.parse(await readFile(file, 'utf8'))));
    const keys = new ProfileKeys(parseMasterKey(second.reveal()));
    return contents.map(({ wrappedKey }) => keys.isCurrent(Buffer.from(wrappedKey, 'base64')));
  }

  it('is changed while its person works; then nothing needs the former one, here and in the replica', async () => {
    const site = await open('site', first);
    await site.work('a letter');
    await site.goldleaf('store', 'replicate', replica);
    const desktop = await site.logOn();
    await desktop.write('a poster');

    await site.restart(second, first);
    await until('the provisioner says that nothing needs the former key', async () => {
      const figures = (await site.fleet.hosts[0]?.metrics.registry.metrics()) ?? '';
      return figures.includes('goldleaf_profile_keys{master_key="other"} 0');
    });
    const store = join(site.fleet.stateDir, 'store');
    expect(await opensWithSecond(store)).toEqual([true, true]);

    await site.restart(second);
    await desktop.logOff();
    const again = await site.logOn();
    expect(again.profile).toMatchObject({ state: 'ready', mode: 'write', notice: null });
    expect(await again.read(8)).toBe('a poster');
    await again.logOff();
    await site.goldleaf<ReplicatedStore>('store', 'replicate', replica);
    const inReplica = await opensWithSecond(join(folder, 'replica'));
    expect(inReplica).toEqual((await site.versions()).map(() => true));

    const other = await open('other', second);
    expect(await other.goldleaf('profile', 'restore', '--from', replica, 'alice')).toMatchObject({ exitCode: 0 });
    expect(await (await other.logOn()).read(8)).toBe('a poster');
  });
});
