import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import request from 'supertest';
import {
  hostViewSchema,
  poolProfileSchema,
  poolViewSchema,
  profileLimitViewSchema,
  profileVersionViewSchema,
  profileVolumeViewSchema,
  sessionViewSchema,
} from '#libs/contracts';
import { JobDispatcher } from '#libs/jobs';
import { ProfileLeases, ProfileVolumes } from '#libs/profiles';
import { ProfileHistory, SessionProfiles } from '#libs/sessions';
import { type BrokerFixture, startBroker } from './broker-fixture.js';

type Headers = { authorization: string };
const work = poolProfileSchema.parse({ context: 'work', atLogOff: 'ask' });
const digest = (number: number) => number.toString(16).padStart(64, '0');

let broker: BrokerFixture;
let it_: Headers;
let agent: Headers;
/** Of each test its own. */
let name = '';
let people = 0;
const restores: object[] = [];

beforeAll(async () => {
  broker = await startBroker({ profile: work });
  it_ = (await broker.signIn('ivan')).headers;
  jest.spyOn(broker.app.get(JobDispatcher), 'enqueue').mockImplementation(async (job, payload) => {
    if (job === 'profile.restore') restores.push(payload);
  });
});
afterAll(() => broker?.destroy());
beforeEach(async () => {
  people += 1;
  name = `agent-p-${people}`;
  agent = (await broker.signIn(name)).headers;
  restores.length = 0;
});

const http = () => request(broker.url);
const get = async (path: string, headers: Partial<Headers> = it_) => {
  const { status, body } = await http().get(`/api/v1${path}`).set(headers);
  return status < 300 ? body : [status, body.code];
};
const send = async (
  method: 'post' | 'put' | 'delete' | 'patch',
  path: string,
  headers: Partial<Headers> = it_,
  sent?: object,
) => {
  const { status, body } = await http()[method](`/api/v1${path}`).set(headers).send(sent);
  return body?.code ? [status, body.code] : [status, body];
};
const audited = async (action: string) => {
  const [entry] = (await get(`/audit?action=${action}&limit=1`)).entries;
  return { actor: entry.actor, subject: entry.subject, details: entry.details };
};

/** A session with a desktop, and the volume that the provisioner found or made for it. */
async function logOn() {
  await broker.addSpares(1);
  const [status, session] = await send('post', '/sessions', agent, { pool: 'call-center' });
  expect(status).toBe(202);
  const desktopId: string = session.desktop.id;
  const volume = await broker.app
    .get(ProfileVolumes)
    .findOrMake({ username: name, context: 'work' }, () => Buffer.alloc(60));
  return { session, desktopId, volumeId: volume.id };
}

/** As many versions as told, written by the desktop of a session that ends then. */
async function withVersions(count: number) {
  const given = await logOn();
  const leases = broker.app.get(ProfileLeases);
  const { lease } = await leases.acquire(given.volumeId, given.desktopId);
  const fence = lease?.fence ?? 0;
  for (let index = 1; index <= count; index += 1) {
    const { number } = await leases.beginVersion(given.volumeId, fence, index === 1 ? 'first' : 'write-back');
    const facts = { versionId: digest(index), isClean: true, sizeBytes: 1_000, writtenBytes: 10 };
    await leases.commit(given.volumeId, fence, number, facts);
  }
  return { ...given, fence, free: () => leases.release(given.volumeId, fence) };
}

describe('a session of a pool with profiles', () => {
  it('is shown with its profile, and with the pool what its desktops do', async () => {
    const pools = poolViewSchema.array().parse(await get('/pools'));
    expect(pools[0]?.profile).toEqual(work);
    const { session, desktopId } = await logOn();
    expect(sessionViewSchema.parse(session)).toMatchObject({ state: 'preparing', profile: { state: 'waiting' } });
    await broker.app.get(SessionProfiles).report(desktopId, { state: 'ready', usedBytes: 5, totalBytes: 10 });
    const ready = sessionViewSchema.parse(await get(`/sessions/${session.id}`, agent));
    expect(ready).toMatchObject({ state: 'ready', profile: { state: 'ready', usedBytes: 5, totalBytes: 10 } });
  });

  it('takes a choice at log-off where the pool asks, and no other', async () => {
    const { session, desktopId } = await logOn();
    expect(await send('delete', `/sessions/${session.id}?profile=burn`, agent)).toEqual([400, 'invalid-request']);
    const [status, ended] = await send('delete', `/sessions/${session.id}?profile=erase`, agent);
    expect([status, ended.state, ended.endReason]).toEqual([202, 'ended', 'log-off']);
    expect(await broker.app.get(SessionProfiles).wanted(desktopId)).toMatchObject({ outcome: 'erase' });

    await send('patch', '/pools/call-center', it_, { profile: { ...work, atLogOff: 'keep' } });
    const next = await logOn();
    expect(await send('delete', `/sessions/${next.session.id}?profile=erase`, agent)).toEqual([403, 'forbidden']);
    expect((await get(`/sessions/${next.session.id}`, agent)).state).toBe('preparing');
    await send('patch', '/pools/call-center', it_, { profile: work });
  });

  it('goes on elsewhere when the person restarts it because its profile does not come', async () => {
    const { session, desktopId } = await logOn();
    await broker.addSpares(1);
    const [, same] = await send('post', `/sessions/${session.id}/recycle`, agent);
    expect(same.desktop.id).toBe(desktopId);
    await broker.query(`UPDATE desktops SET assigned_at = now() - interval '1 minute' WHERE id = $1`, [desktopId]);
    const [, other] = await send('post', `/sessions/${session.id}/recycle`, agent);
    expect(other).toMatchObject({ state: 'preparing', preparingReason: 'recycle', profile: { state: 'waiting' } });
    expect(other.desktop.id).not.toBe(desktopId);
  });

  it('refuses a policy that is none', async () => {
    for (const profile of [{}, { ...work, excludedPaths: ['../x'] }, { ...work, context: 'Work' }, { ...work, x: 1 }]) {
      expect(await send('patch', '/pools/call-center', it_, { profile })).toEqual([400, 'invalid-request']);
    }
  });
});

describe('volumes and versions', () => {
  it('are listed for IT, and for the person their own', async () => {
    expect(await get(`/profiles/${name}/volumes`)).toEqual([]);
    const { desktopId, free } = await withVersions(2);
    const [volume] = profileVolumeViewSchema.array().parse(await get(`/profiles/${name}/volumes`));
    expect(volume).toMatchObject({
      ...{ context: 'work', newest: 2, versions: 2, damaged: 0, storedBytes: 20, userMayRestore: true },
      ...{ heldBy: { desktopId, host: 'host-1' }, sizeMiB: 10_240 },
    });
    expect(await get('/me/profile/volumes', agent)).toEqual([volume]);
    await free();
    expect((await get(`/profiles/${name}/volumes`))[0].heldBy).toBeNull();

    const versions = profileVersionViewSchema.array().parse(await get(`/profiles/${name}/volumes/work/versions`));
    expect(versions.map(({ number, parent, reason, isNewest }) => [number, parent, reason, isNewest])).toEqual([
      [2, 1, 'write-back', true],
      [1, null, 'first', false],
    ]);
    expect(versions[0]).toMatchObject({ state: 'good', isClean: true, desktopId, host: 'host-1', writtenBytes: 10 });
    expect(await get('/me/profile/volumes/work/versions', agent)).toEqual(versions);
    expect(JSON.stringify(versions)).not.toContain(digest(1));
  });

  it('are nobody else’s business', async () => {
    await withVersions(1);
    const other = (await broker.signIn(`agent-q-${people}`)).headers;
    expect(await get('/me/profile/volumes', other)).toEqual([]);
    expect(await get('/me/profile/volumes/work/versions', other)).toEqual([404, 'not-found']);
    expect(await send('post', '/me/profile/volumes/work/versions/1/restore', other)).toEqual([404, 'not-found']);
    for (const path of ['limits', `${name}/volumes`, `${name}/volumes/work/versions`]) {
      expect(await get(`/profiles/${path}`, other)).toEqual([403, 'forbidden']);
      expect(await get(`/profiles/${path}`, {})).toEqual([401, 'not-signed-in']);
    }
    for (const path of [name, `${name}/volumes/work`, 'limits/call-center']) {
      expect(await send('delete', `/profiles/${path}`, other)).toEqual([403, 'forbidden']);
    }
    expect(await send('put', '/profiles/limits/call-center', other, { sizeMiB: 100 })).toEqual([403, 'forbidden']);
    expect(await send('post', `/profiles/${name}/volumes/work/versions/1/restore`, other)).toEqual([403, 'forbidden']);
    expect(await send('put', '/hosts/host-1/fence', other)).toEqual([403, 'forbidden']);
    expect(await get('/me/profile/volumes', {})).toEqual([401, 'not-signed-in']);
  });
});

describe('going back to an older version', () => {
  it('is refused while a desktop writes, and then begun for a provisioner to do', async () => {
    const { volumeId, fence, free } = await withVersions(2);
    const path = `/profiles/${name}/volumes/work/versions`;
    expect(await send('post', `${path}/1/restore`)).toEqual([409, 'conflict']);
    expect(restores).toEqual([]);
    await free();
    expect(await send('post', `${path}/9/restore`)).toEqual([404, 'not-found']);
    expect(await send('post', `${path}/x/restore`)).toEqual([404, 'not-found']);
    expect(await send('post', `${path}/1/restore`)).toEqual([202, {}]);
    const [restore] = restores;
    expect(restore).toEqual({ volumeId, number: 3, fence: expect.any(Number), from: 1 });
    expect((restore as { fence: number }).fence).toBeGreaterThan(fence);
    expect(await audited('profile-restored')).toEqual({
      ...{ actor: 'ivan', subject: `profile:${name}/work`, details: { version: 1, as: 3 } },
    });

    // What a provisioner does, also when the job was lost.
    const history = broker.app.get(ProfileHistory);
    expect(await history.pendingRestores(60)).toEqual([]);
    expect(await history.pendingRestores(0)).toContainEqual(restore);
    const leases = broker.app.get(ProfileLeases);
    const from = (await leases.versions(volumeId)).find(({ number }) => number === 1);
    if (!from) throw new Error('no version 1');
    await leases.commitRestore(volumeId, { ...(restore as { number: number; fence: number }), from });
    expect(await history.pendingRestores(0)).not.toContainEqual(restore);
    const versions = await get(path);
    expect(versions[0]).toMatchObject({ number: 3, isNewest: true, reason: 'restored', restoredFrom: 1 });
  });

  it('is the person’s own doing where a pool of theirs lets them', async () => {
    const { free } = await withVersions(2);
    await free();
    const path = '/me/profile/volumes/work/versions';
    await send('patch', '/pools/call-center', it_, { profile: { ...work, userMayRestore: false } });
    expect((await get('/me/profile/volumes', agent))[0].userMayRestore).toBe(false);
    expect(await send('post', `${path}/1/restore`, agent)).toEqual([403, 'forbidden']);
    await send('patch', '/pools/call-center', it_, { profile: work });
    expect(await send('post', `${path}/1/restore`, agent)).toEqual([202, {}]);
    expect(await audited('profile-restored')).toMatchObject({ actor: name });
  });
});

describe('destroying profiles', () => {
  it('leaves nothing that could be decrypted, and says so to who has it open', async () => {
    const { session, desktopId, volumeId, fence } = await withVersions(1);
    await broker.app.get(SessionProfiles).report(desktopId, { state: 'ready', volumeId });
    expect(await send('delete', `/profiles/${name}/volumes/private`)).toEqual([404, 'not-found']);
    expect(await send('delete', `/profiles/${name}`)).toEqual([204, {}]);
    const [row] = await broker.query('SELECT wrapped_key AS key FROM profile_volumes WHERE id = $1', [volumeId]);
    expect(row).toEqual({ key: null });
    expect(await get(`/profiles/${name}/volumes`)).toEqual([]);
    const profile = { state: 'failed', notice: 'not-kept', reason: 'no-key' };
    expect(await get(`/sessions/${session.id}`, agent)).toMatchObject({ state: 'ready', profile });
    await expect(broker.app.get(ProfileLeases).beginVersion(volumeId, fence, 'write-back')).rejects.toThrow();
    expect(await audited('profile-deleted')).toEqual({
      ...{ actor: 'ivan', subject: `profile:${name}`, details: { volumes: 1 } },
    });
    expect(await send('delete', `/profiles/${name}`)).toEqual([404, 'not-found']);
  });
});

describe('limits', () => {
  it('are set and taken away for roles', async () => {
    const limit = { role: 'call-center', sizeMiB: 100_000 };
    expect(await send('put', '/profiles/limits/call-center', it_, { sizeMiB: 100_000 })).toEqual([200, limit]);
    expect(profileLimitViewSchema.array().parse(await get('/profiles/limits'))).toEqual([limit]);
    await logOn();
    expect((await get('/me/profile/volumes', agent))[0].sizeMiB).toBe(100_000);
    const subject = 'role:call-center';
    const changed = { actor: 'ivan', subject, details: { sizeMiB: 100_000 } };
    expect(await audited('profile-limit-changed')).toEqual(changed);
    for (const sizeMiB of [1, 'x', 64.5, 2_000_000]) {
      const refused = [400, 'invalid-request'];
      expect(await send('put', '/profiles/limits/call-center', it_, { sizeMiB })).toEqual(refused);
    }
    expect(await send('delete', '/profiles/limits/call-center')).toEqual([204, {}]);
    expect(await send('delete', '/profiles/limits/call-center')).toEqual([404, 'not-found']);
    expect(await audited('profile-limit-changed')).toEqual({ ...changed, details: { sizeMiB: null } });
  });
});

describe('a host that IT gives up', () => {
  it('gives its people and their profiles to other hosts, and nothing to anybody until it is clean', async () => {
    await broker.query(
      `UPDATE sessions SET state = 'failed', waiting_since = NULL WHERE state NOT IN ('ended', 'failed')`,
    );
    await broker.query(`UPDATE desktops SET state = 'recycling' WHERE state <> 'deleted'`);
    await broker.query(`UPDATE desktops SET state = 'deleted' WHERE state <> 'deleted'`);
    const { session, desktopId, volumeId } = await withVersions(1);
    expect(await send('put', '/hosts/host-9/fence')).toEqual([404, 'not-found']);
    expect(await send('put', '/hosts/host-1/fence')).toEqual([204, {}]);
    const [host] = hostViewSchema.array().parse(await get('/hosts'));
    expect(host).toMatchObject({ mode: 'draining', fencedAt: expect.any(String) });
    expect(await broker.app.get(ProfileLeases).holder(volumeId)).toBeNull();
    expect(await get(`/sessions/${session.id}`, agent)).toMatchObject({
      ...{ state: 'preparing', desktop: null, preparingReason: 'machine-lost' },
    });
    expect(await audited('host-fenced')).toMatchObject({ actor: 'ivan', subject: 'host:host-1' });

    // A spare there is of no use to anybody.
    await broker.addSpares(1);
    const [, other] = await send('post', '/sessions', (await broker.signIn(`agent-r-${people}`)).headers, {
      pool: 'call-center',
    });
    expect(other.state).toBe('pending');
    expect(await send('delete', '/hosts/host-1/fence')).toEqual([409, 'conflict']);
    await broker.query(`UPDATE desktops SET state = 'recycling' WHERE state = 'available'`);
    await broker.query(`UPDATE desktops SET state = 'deleted' WHERE id = $1 OR state = 'recycling'`, [desktopId]);
    expect(await send('delete', '/hosts/host-1/fence')).toEqual([204, {}]);
    expect((await get('/hosts'))[0]).toMatchObject({ mode: 'draining', fencedAt: null });
    expect(await audited('host-fence-lifted')).toMatchObject({ actor: 'ivan', subject: 'host:host-1' });
    expect(await send('delete', '/hosts/host-9/fence')).toEqual([404, 'not-found']);
  });
});
