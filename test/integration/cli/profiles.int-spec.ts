import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type HostView,
  type ProfileLimitView,
  type ProfileVersionView,
  type ProfileVolumeView,
  poolProfileSchema,
} from '#libs/contracts';
import { ProfileLeases, ProfileVolumes } from '#libs/profiles';
import { type BrokerFixture, startBroker } from '../broker/broker-fixture.js';
import { CliFixture } from './cli-fixture.js';

const versions = 3;
let broker: BrokerFixture;
let cli: CliFixture;
/** Ends the session and gives the volume back. */
let free: () => Promise<void>;

/** Versions of alice's profile, written by a desktop that still has it. */
async function writeVersions(): Promise<void> {
  const { headers } = await broker.signIn('alice');
  await broker.addSpares(1);
  const response = await fetch(`${broker.url}/api/v1/sessions`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ pool: 'call-center' }),
  });
  const session = (await response.json()) as { id: string; desktop: { id: string } };
  const wanted = { username: 'alice', context: 'work' };
  const volume = await broker.app.get(ProfileVolumes).findOrMake(wanted, () => Buffer.alloc(60));
  const leases = broker.app.get(ProfileLeases);
  const { lease } = await leases.acquire(volume.id, session.desktop.id);
  const fence = lease?.fence ?? 0;
  for (let index = 1; index <= versions; index += 1) {
    const { number } = await leases.beginVersion(volume.id, fence, index === 1 ? 'first' : 'write-back');
    const versionId = index.toString(16).padStart(64, '0');
    await leases.commit(volume.id, fence, number, { versionId, isClean: true, sizeBytes: 1_000, writtenBytes: 2_048 });
  }
  free = async () => {
    await fetch(`${broker.url}/api/v1/sessions/${session.id}`, { method: 'DELETE', headers });
    await leases.release(volume.id, fence);
  };
}

beforeAll(async () => {
  cli = await CliFixture.make();
  broker = await startBroker({ profile: poolProfileSchema.parse({ context: 'work' }) });
  await cli.signIn(broker.url);
  await writeVersions();
});
afterAll(async () => {
  await broker.destroy();
  await cli.destroy();
});

describe('goldleaf profile', () => {
  it("lists a person's volumes and their versions", async () => {
    const list = await cli.json<ProfileVolumeView[]>(['profile', 'list', 'alice']);
    expect(list.document).toMatchObject([{ context: 'work', newest: versions, heldBy: { host: 'host-1' } }]);
    expect((await cli.run(['profile', 'list', 'alice'])).stdout).toMatch(
      /^PROFILE +SIZE.*\nwork +10\.0 GiB +3 .*host-1/,
    );
    expect((await cli.run(['profile', 'list', 'nobody'])).stdout).toContain('nobody has no profile yet');
    const shown = await cli.run(['profile', 'versions', 'alice']);
    expect(shown.stdout).toMatch(/^VERSION.*\n3 .*write-back +2\.0 KiB +host-1 +newest\n2 .*good\n1 .*first/);
    const named = await cli.json<ProfileVersionView[]>(['profile', 'versions', 'alice', '--context', 'work']);
    expect(named.document.map(({ number }) => number)).toEqual([3, 2, 1]);
    const none = await cli.json<unknown>(['profile', 'versions', 'nobody']);
    expect(none).toMatchObject({ exitCode: 1, document: { error: { code: 'not-found' } } });
  });

  it('restores a version once no desktop writes the profile', async () => {
    const busy = await cli.json<unknown>(['profile', 'restore', 'alice', '1']);
    expect(busy).toMatchObject({ exitCode: 1, document: { error: { code: 'conflict' } } });
    await free();
    expect(await cli.run(['profile', 'restore', 'alice', '99'])).toMatchObject({ exitCode: 1 });
    const restored = await cli.run(['profile', 'restore', 'alice', '1']);
    expect(restored).toMatchObject({ exitCode: 0 });
    expect(restored.stdout).toContain('alice\'s profile "work" goes back to version 1');
  });

  it('sets, shows and removes limits of roles', async () => {
    const set = await cli.run(['profile', 'limit', 'call center', '20G']);
    expect(set.stdout).toContain('Profiles of the role call center may be 20.0 GiB');
    const limits = await cli.json<ProfileLimitView[]>(['profile', 'limits']);
    expect(limits.document).toEqual([{ role: 'call center', sizeMiB: 20_480 }]);
    expect(await cli.run(['profile', 'limit', 'call center', '1M'])).toMatchObject({ exitCode: 1 });
    expect(await cli.run(['profile', 'limit', 'call center', 'default'])).toMatchObject({ exitCode: 0 });
    expect((await cli.run(['profile', 'limits'])).stdout).toBe('No role has a limit of its own: the default holds\n');
  });

  it('destroys profiles only when that is meant', async () => {
    const asked = await cli.run(['profile', 'delete', 'alice']);
    expect(asked).toMatchObject({ exitCode: 2, stdout: '' });
    expect(asked.stderr).toContain('Add --yes to do it');
    expect((await cli.json<unknown[]>(['profile', 'list', 'alice'])).document).toHaveLength(1);
    const { stdout } = await cli.run(['profile', 'delete', 'alice', '--yes']);
    expect(stdout).toContain('All profiles of alice: destroyed');
    // What was copied elsewhere is not.
    expect(stdout).toContain('run "goldleaf store replicate" to each copy of the store');
    expect((await cli.json<unknown[]>(['profile', 'list', 'alice'])).document).toEqual([]);
  });
});

describe('goldleaf host', () => {
  it('gives a host up, and takes it back', async () => {
    expect((await cli.run(['host', 'fence', 'host-1'])).stdout).toContain('host-1 is given up');
    const [host] = (await cli.json<HostView[]>(['host', 'list'])).document;
    expect(host).toMatchObject({ name: 'host-1', fencedAt: expect.any(String) });
    expect((await cli.run(['host', 'list'])).stdout).toContain('fenced since 20');
    const missing = await cli.json<unknown>(['host', 'fence', 'nowhere']);
    expect(missing).toMatchObject({ exitCode: 1, document: { error: { code: 'not-found' } } });
    const early = await cli.json<unknown>(['host', 'unfence', 'host-1']);
    expect(early).toMatchObject({ exitCode: 1, document: { error: { code: 'conflict' } } });
    // As the host does when it is back.
    await broker.query(`UPDATE desktops SET state = 'recycling' WHERE state = 'available'`);
    await broker.query(`UPDATE desktops SET state = 'deleted'`);
    const lifted = await cli.json<unknown>(['host', 'unfence', 'host-1']);
    expect(lifted.document).toMatchObject({ name: 'host-1', fenced: false });
  });
});
