import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { AppCatalogue, AppRegistration, LayerVerifier } from '#libs/apps';
import { MessageBus } from '#libs/bus';
import { type AppLayerManifest, type AssignApp, appLayerManifestSchema, type SessionView } from '#libs/contracts';
import { readRows, transact } from '#libs/database';
import { PoolService } from '#libs/desktops';
import { JobDispatcher } from '#libs/jobs';
import { ProfileService, recordLogons } from '#libs/profiles';
import { type TestDatabase, until } from '#libs/testing';
import { SessionWorld } from '../../test/session-world.js';
import { SessionQueries } from '../session-queries.js';
import { SessionService } from '../session-service.js';
import { AppStarts } from './app-starts.js';
import { DesktopApps } from './desktop-apps.js';
import { MyApps } from './my-apps.js';
import { SessionApps } from './session-apps.js';

/** Believes what it is given. */
class GullibleVerifier extends LayerVerifier {
  async verify({ payload }: { payload: string }): Promise<AppLayerManifest> {
    return appLayerManifestSchema.parse(JSON.parse(payload));
  }
}

const person = (username: string, ...roles: string[]) => ({ username, roles: ['staff', ...roles] });
const byDefault: AssignApp = { kind: 'assigned', version: null, ring: 'broad', mode: 'at-logon', now: false };

describe('applications of people, sessions and desktops', () => {
  let world: SessionWorld;
  let database: TestDatabase;
  let app: TestingModule;
  let sessionApps: SessionApps;
  let desktopApps: DesktopApps;
  /** Ids of the desktops for which `desktop.apps` was enqueued. */
  const jobs: string[] = [];
  /** Of each test its own, as records and assignments last. */
  let role = '';
  let names = 0;

  beforeAll(async () => {
    world = await SessionWorld.start([AppRegistration, { provide: LayerVerifier, useClass: GullibleVerifier }]);
    ({ app, database } = world);
    jest.spyOn(app.get(JobDispatcher), 'enqueue').mockImplementation(async (name, payload, options) => {
      if (name === 'desktop.apps' && options?.host === 'host-1' && 'desktopId' in payload) jobs.push(payload.desktopId);
    });
    sessionApps = app.get(SessionApps);
    desktopApps = app.get(DesktopApps);
    for (const name of ['first', 'second']) {
      await app.get(PoolService).create(
        {
          ...{ name, displayName: name, description: '', image: 'debian', vcpus: 1, roles: ['staff'] },
          ...{ spares: 0, max: 1_000, memoryMiB: 512, disconnectTimeoutMinutes: 5 },
        },
        'test',
      );
    }
  });

  afterAll(async () => {
    await world?.destroy();
  });

  beforeEach(async () => {
    // Nobody of the tests before waits for the desktops of this one.
    await rows(`UPDATE sessions SET state = 'failed', waiting_since = NULL WHERE state NOT IN ('ended', 'failed')`);
    jobs.length = 0;
    names += 1;
    role = `role-${names}`;
  });

  const rows = <Row>(sql: string, parameters: unknown[] = []) => readRows<Row>(database.dataSource, sql, parameters);

  async function spares(count: number, pool = 'first'): Promise<void> {
    await rows(
      `INSERT INTO desktops (pool_id, image_version_id, host, state, display_host, display_port, sealed_display_password)
       SELECT pools.id, image_versions.id, 'host-1', 'available', '127.0.0.1', 5900, 'sealed'
         FROM pools, image_versions, generate_series(1, $1) WHERE pools.name = $2`,
      [count, pool],
    );
  }

  async function newVersion(name: string, volume: string, more: Partial<AppLayerManifest> = {}, ring = 'broad') {
    const payload = JSON.stringify({
      ...{ formatVersion: 1, name, displayName: `The ${name}`, description: '', label: volume },
      ...{ os: { id: 'debian', versionId: '12', architecture: 'x86_64' }, base: { image: 'debian', digest: 'd1' } },
      ...{ volumeId: Buffer.from(volume.padEnd(32, ' ')).toString('hex'), layerBytes: 10, installedBytes: 20 },
      ...{ entries: [{ id: 'x.desktop', name: 'X' }], icon: { mediaType: 'image/png', base64: 'AAAA' }, packages: [] },
      ...more,
    });
    const layer = { payload, signature: 'A'.repeat(86).concat('=='), keyId: '0'.repeat(16) };
    return app.get(AppRegistration).register(name, { layer, ring: ring as 'broad' }, 'ivan');
  }

  /** An application with one version, of this test's own. */
  async function newApp(kind = 'app'): Promise<string> {
    const name = `${kind}-${names}`;
    await newVersion(name, 'v1');
    return name;
  }

  const assign = (name: string, more: Partial<AssignApp> = {}, to = role) =>
    sessionApps.assign(name, to, { ...byDefault, ...more }, 'ivan');
  const open = (owner: ReturnType<typeof person>, more: { pool?: string; app?: string } = {}) =>
    app.get(SessionService).open(owner, { pool: 'first', ...more });
  const view = ({ id }: SessionView, username: string) => app.get(SessionQueries).view(username, id);
  const record = async (username: string) => (await app.get(ProfileService).list({ username, limit: 1 }))[0];
  const idOf = async (name: string) =>
    (await rows<{ id: string }>('SELECT id FROM apps WHERE name = $1', [name]))[0]?.id ?? '';
  const desktopOf = ({ desktop }: SessionView) => desktop?.id ?? 'no desktop';

  /** As the provisioner would note it. */
  async function ready(session: SessionView, name: string): Promise<void> {
    const wanted = await desktopApps.wantedApps(desktopOf(session));
    const found = wanted?.wanted.find((one) => one.name === name);
    if (!found) throw new Error(`${name} is not wanted`);
    const { appId, versionId, mode } = found;
    for (const state of ['attaching', 'ready'] as const) {
      expect(await desktopApps.recordState(desktopOf(session), appId, { versionId, mode, state })).toBe(true);
    }
  }

  describe('a logon', () => {
    it('stores the record, shows what comes, and has the desktop made so', async () => {
      const name = await newApp();
      await assign(name);
      await spares(1);
      const session = await open(person('anna', role));
      expect(session.apps).toEqual([
        {
          ...{ name, displayName: `The ${name}`, version: 1, label: 'v1', mode: 'at-logon', state: 'waiting' },
          reason: null,
        },
      ]);
      expect(await record('anna')).toMatchObject({
        roles: ['staff', role],
        apps: [{ name, version: 1, mode: 'at-logon', role, pinned: false }],
      });
      expect(jobs).toEqual([session.desktop?.id]);
      const wanted = await desktopApps.wantedApps(desktopOf(session));
      expect(wanted).toMatchObject({
        ...{ host: 'host-1', sessionId: session.id, username: 'anna', leaving: [] },
        wanted: [{ name, mode: 'at-logon', refusal: null, held: null, isStartWanted: false }],
      });
      expect(JSON.parse(wanted?.wanted[0]?.document.payload ?? '')).toMatchObject({ name, label: 'v1' });
    });

    it('costs people without applications no job, but leaves a record', async () => {
      await spares(1);
      const session = await open(person('bert', role));
      expect([session.state, session.apps, jobs]).toEqual(['ready', [], []]);
      expect(await record('bert')).toMatchObject({ roles: ['staff', role], apps: [] });
    });

    it('asks again only when a session is opened, not when the live one is returned', async () => {
      const name = await newApp();
      const session = await open(person('cleo', role));
      await assign(name);
      expect((await open(person('cleo', role))).apps).toEqual([]);
      expect((await record('cleo'))?.apps).toEqual([]);
      await app.get(SessionService).logOff(person('cleo'), session.id);
      expect((await open(person('cleo', role))).apps).toMatchObject([{ name }]);
    });

    it('of a second session leaves the first one as it is', async () => {
      const [old, fresh] = [await newApp('old'), await newApp('fresh')];
      await assign(old);
      const first = await open(person('dora', role));
      await sessionApps.withdraw(old, role, false, 'ivan');
      await assign(fresh);
      const second = await open(person('dora', role), { pool: 'second' });
      expect(second.apps).toMatchObject([{ name: fresh }]);
      expect((await view(first, 'dora')).apps).toMatchObject([{ name: old }]);
      expect((await record('dora'))?.apps).toMatchObject([{ name: fresh }]);
    });

    it('gives the same after a recycle, and has the new desktop made so', async () => {
      const name = await newApp();
      await assign(name);
      await spares(2);
      const session = await open(person('emil', role));
      await ready(session, name);
      await sessionApps.withdraw(name, role, false, 'ivan');
      const again = await app.get(SessionService).recycle(person('emil'), session.id);
      expect(again.apps).toMatchObject([{ name, state: 'waiting' }]);
      expect(jobs).toEqual([session.desktop?.id, again.desktop?.id]);
      expect(desktopOf(again)).not.toBe(desktopOf(session));
    });

    it('of people at the same moment keeps to what each of them is', async () => {
      const name = await newApp();
      await assign(name);
      const people = Array.from({ length: 40 }, (_, n) => person(`many-${n}`, ...(n % 2 ? [role] : [])));
      const sessions = await Promise.all(people.map((one) => open(one)));
      expect(sessions.map(({ apps }) => apps.length)).toEqual(people.map((_, n) => n % 2));
      const stored = await Promise.all(people.map(({ username }) => record(username)));
      expect(stored.map((one) => one?.apps.length)).toEqual(people.map((_, n) => n % 2));
    });

    it('twice at once by the same person, on two brokers, ends with the record of one of them', async () => {
      const [one, two] = [await newApp('one'), await newApp('two')];
      await assign(one, {}, `${role}-1`);
      await assign(two, {}, `${role}-2`);
      const pools = await rows<{ id: string }>('SELECT id FROM pools');
      for (let round = 0; round < 10; round += 1) {
        const username = `twice-${round}`;
        await Promise.all(
          ['1', '2'].map((which, at) =>
            transact(database.dataSource, async (unit) => {
              const [session] = await unit.rows<{ id: string }>(
                `INSERT INTO sessions (username, pool_id, state, waiting_since, phases) VALUES ($1, $2, 'pending', now(), '[]')
                 RETURNING id`,
                [username, pools[at]?.id],
              );
              const logon = { sessionId: session?.id ?? '', username, roles: [`${role}-${which}`] };
              await recordLogons(unit, [logon]);
            }),
          ),
        );
        const kept = await record(username);
        expect(kept?.apps.map(({ role: from }) => from)).toEqual(kept?.roles);
      }
    });
  });

  describe('changes', () => {
    it('count from the next logon on, unless they are for now', async () => {
      const name = await newApp();
      await spares(1);
      const session = await open(person('fred', role));
      await assign(name);
      expect((await view(session, 'fred')).apps).toEqual([]);
      await assign(name, { now: true });
      expect((await view(session, 'fred')).apps).toMatchObject([{ name, state: 'waiting' }]);
      expect((await record('fred'))?.apps).toMatchObject([{ name }]);
      expect(jobs).toEqual([session.desktop?.id]);
      await ready(session, name);
      await sessionApps.withdraw(name, role, true, 'ivan');
      expect((await view(session, 'fred')).apps).toEqual([]);
      expect(jobs).toHaveLength(2);
      const wanted = await desktopApps.wantedApps(desktopOf(session));
      expect(wanted).toMatchObject({ wanted: [], leaving: [{ name, state: 'ready' }] });
      await desktopApps.forget(desktopOf(session), await idOf(name));
      expect((await desktopApps.wantedApps(desktopOf(session)))?.leaving).toEqual([]);
    });

    it('for now leave other applications and other people as they are', async () => {
      const [mine, other] = [await newApp('mine'), await newApp('other')];
      await spares(2);
      const session = await open(person('gina', role));
      const stranger = await open(person('hugo'));
      await assign(other);
      await assign(mine, { now: true });
      expect((await view(session, 'gina')).apps).toMatchObject([{ name: mine }]);
      expect((await view(stranger, 'hugo')).apps).toEqual([]);
      expect(jobs).toEqual([session.desktop?.id]);
    });

    it('for now keep what another role gives', async () => {
      const name = await newApp();
      await newVersion(name, 'v2');
      await assign(name, { version: 1 });
      await assign(name, {}, `${role}-more`);
      const session = await open(person('ilse', role, `${role}-more`));
      expect(session.apps).toMatchObject([{ version: 1 }]);
      await sessionApps.withdraw(name, role, true, 'ivan');
      expect((await view(session, 'ilse')).apps).toMatchObject([{ version: 2 }]);
    });

    it('for now miss nobody who logs on meanwhile', async () => {
      for (let round = 0; round < 3; round += 1) {
        const name = `race-${names}-${round}`;
        const to = `${role}-${round}`;
        await newVersion(name, 'v1');
        const people = Array.from({ length: 20 }, (_, n) => person(`race-${names}-${round}-${n}`, to));
        const [sessions] = await Promise.all([
          Promise.all(people.map((one) => open(one))),
          assign(name, { now: true }, to),
        ]);
        const shown = await Promise.all(sessions.map((session, n) => view(session, people[n]?.username ?? '')));
        expect(shown.map(({ apps }) => apps.length)).toEqual(people.map(() => 1));
      }
    });

    it('for now wait for a logon that has read the assignments already', async () => {
      const name = await newApp();
      const owner = person('slow', role);
      let assigning: Promise<unknown> | undefined;
      let isDone = false;
      const session = await transact(database.dataSource, async (unit) => {
        const [added] = await unit.rows<{ id: string }>(
          `INSERT INTO sessions (username, pool_id, state, waiting_since, phases)
           SELECT $1, id, 'pending', now(), '[]' FROM pools LIMIT 1 RETURNING id`,
          [owner.username],
        );
        await recordLogons(unit, [{ ...owner, sessionId: added?.id ?? '' }]);
        assigning = assign(name, { now: true }).finally(() => {
          isDone = true;
        });
        await until('the assignment waits', async () => {
          const waiting = await rows(
            `SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = database
              WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()`,
          );
          return isDone || waiting.length > 0;
        });
        return added?.id ?? '';
      });
      await assigning;
      const shown = await app.get(SessionQueries).view(owner.username, session);
      expect(shown.apps).toMatchObject([{ name }]);
    });

    it('of a withdrawn version take it from nobody who has it, and give it to nobody else', async () => {
      const name = await newApp();
      await assign(name);
      await spares(2);
      const has = await open(person('jan', role));
      await ready(has, name);
      const waits = await open(person('kim', role));
      await app.get(AppCatalogue).updateVersion(name, 1, { state: 'withdrawn' }, 'ivan');
      expect((await view(has, 'jan')).apps).toMatchObject([{ state: 'ready' }]);
      expect((await desktopApps.wantedApps(desktopOf(has)))?.wanted).toMatchObject([{ refusal: null }]);
      expect((await view(waits, 'kim')).apps).toMatchObject([{ state: 'failed', reason: 'withdrawn' }]);
      expect((await desktopApps.wantedApps(desktopOf(waits)))?.wanted).toMatchObject([{ refusal: 'withdrawn' }]);
      expect((await open(person('lars', role))).apps).toEqual([]);
    });
  });

  describe('a damaged version', () => {
    it('is taken from those who have it, and others are told what they go without', async () => {
      const name = await newApp();
      await assign(name);
      await spares(2);
      const session = await open(person('mia', role));
      await ready(session, name);
      jobs.length = 0;
      const versionId = (await desktopApps.wantedApps(desktopOf(session)))?.wanted[0]?.versionId ?? '';
      await desktopApps.markDamaged(versionId, 'chunk 7 is not what was signed');
      await desktopApps.markDamaged(versionId, 'again');
      expect(jobs).toEqual([session.desktop?.id]);
      expect((await view(session, 'mia')).apps).toMatchObject([{ state: 'failed', reason: 'damaged' }]);
      expect((await desktopApps.wantedApps(desktopOf(session)))?.wanted).toMatchObject([{ refusal: 'damaged' }]);
      const next = await open(person('nils', role));
      expect(next.state).toBe('ready');
      expect(next.apps).toMatchObject([{ name, state: 'failed', reason: 'damaged' }]);
      expect((await record('nils'))?.apps).toEqual([]);
      const shown = await app.get(AppCatalogue).view(name);
      expect(shown.versions).toMatchObject([{ state: 'damaged', failure: 'chunk 7 is not what was signed' }]);
      expect(shown.assignments).toMatchObject([{ serves: null }]);
    });

    it('makes room for the last good one of its ring', async () => {
      const name = await newApp();
      await newVersion(name, 'v2');
      await assign(name);
      const [second] = await rows<{ id: string }>(
        'SELECT app_versions.id FROM app_versions JOIN apps ON apps.id = app_id WHERE name = $1 AND number = 2',
        [name],
      );
      await desktopApps.markDamaged(second?.id ?? '', 'damaged');
      expect((await open(person('olga', role))).apps).toMatchObject([{ version: 1, state: 'waiting' }]);
      await app.get(AppCatalogue).updateVersion(name, 2, { state: 'published' }, 'ivan');
      expect((await open(person('paul', role))).apps).toMatchObject([{ version: 2, state: 'waiting' }]);
    });
  });

  describe('states of applications on a desktop', () => {
    it('move by the table only, tell the portal, and end with the desktop', async () => {
      const name = await newApp();
      await assign(name);
      await spares(2);
      const session = await open(person('quin', role));
      const desktopId = desktopOf(session);
      const [wanted] = (await desktopApps.wantedApps(desktopId))?.wanted ?? [];
      if (!wanted) throw new Error('nothing is wanted');
      const { appId, versionId, mode } = wanted;
      const move = (state: 'waiting' | 'attaching' | 'ready' | 'on-demand') =>
        desktopApps.recordState(desktopId, appId, { versionId, mode, state });
      const told: string[] = [];
      const stop = app.get(MessageBus).subscribe((message) => {
        if (message.type === 'session') told.push(message.sessionId);
      });
      await app.get(MessageBus).ready();
      expect(await move('ready')).toBe(false);
      expect([await move('attaching'), await move('attaching'), await move('ready')]).toEqual([true, true, true]);
      expect(await move('on-demand')).toBe(false);
      expect((await view(session, 'quin')).apps).toMatchObject([{ state: 'ready' }]);
      const failed = { versionId, mode, state: 'failed', reason: 'too-slow', detail: 'after 20 s' } as const;
      expect(await desktopApps.recordState(desktopId, appId, failed)).toBe(true);
      expect((await view(session, 'quin')).apps).toMatchObject([{ state: 'failed', reason: 'too-slow' }]);
      const events = await rows<{ to: string; reason: string }>(
        `SELECT to_state AS to, reason FROM state_events WHERE entity = 'session-app' AND entity_id = $1 ORDER BY id`,
        [desktopId],
      );
      expect(events).toEqual([
        { to: 'attaching', reason: name },
        { to: 'ready', reason: name },
        { to: 'failed', reason: `${name}: too-slow` },
      ]);
      const audited = await rows(`SELECT details FROM audit_entries WHERE action = 'app-failed' AND subject = $1`, [
        `app:${name}`,
      ]);
      const details = { desktop: desktopId, user: 'quin', version: 1, reason: 'too-slow', detail: 'after 20 s' };
      expect(audited).toEqual([{ details }]);
      expect(await app.get(AppCatalogue).view(name)).toMatchObject({ people: 1, desktops: { ready: 0, failed: 1 } });
      await app.get(SessionService).logOff(person('quin'), session.id);
      await until('told of each change', () => told.filter((id) => id === session.id).length >= 4);
      stop();
      expect(await desktopApps.recordState(desktopId, appId, failed)).toBe(false);
      expect(await desktopApps.wantedApps(desktopId)).toBeUndefined();
      await desktopApps.sweep();
      expect(await rows('SELECT 1 FROM session_apps WHERE desktop_id = $1', [desktopId])).toEqual([]);
      expect(await rows('SELECT 1 FROM session_wanted_apps WHERE session_id = $1', [session.id])).toEqual([]);
    });

    it('that are not what they should be are found, and those that are, are not', async () => {
      const [name, more] = [await newApp(), await newApp('more')];
      await assign(name);
      await spares(1);
      const session = await open(person('rosa', role));
      const isFound = async (forSeconds = -1) =>
        (await desktopApps.desktopsOutOfStep('host-1', forSeconds)).includes(desktopOf(session));
      expect(await isFound()).toBe(true);
      expect(await isFound(3_600)).toBe(false);
      expect(await desktopApps.desktopsOutOfStep('host-2', -1)).toEqual([]);
      await ready(session, name);
      expect(await isFound()).toBe(false);
      await assign(more, { now: true });
      expect(await isFound()).toBe(true);
      await ready(session, more);
      await sessionApps.withdraw(more, role, true, 'ivan');
      expect(await isFound()).toBe(true);
      await desktopApps.forget(desktopOf(session), await idOf(more));
      expect(await isFound()).toBe(false);
      await assign(name, { mode: 'on-demand', now: true });
      expect(await isFound()).toBe(true);
      await assign(name, { now: true });
      expect(await isFound()).toBe(false);
      await app.get(AppStarts).start('rosa', session.id, name);
      expect(await isFound()).toBe(true);
      await desktopApps.takeStarts(session.id, [await idOf(name)]);
      expect(await isFound()).toBe(false);
      const held = (await desktopApps.wantedApps(desktopOf(session)))?.wanted[0];
      await desktopApps.markDamaged(held?.versionId ?? '', 'damaged');
      expect(await isFound()).toBe(true);
    });
  });

  describe('starting from outside', () => {
    it('is kept until the desktop has the application, and given out once', async () => {
      const name = await newApp();
      await assign(name, { mode: 'on-demand' });
      await spares(1);
      const session = await open(person('sven', role), { app: name });
      expect(jobs).toEqual([session.desktop?.id]);
      const appId = await idOf(name);
      expect((await desktopApps.wantedApps(desktopOf(session)))?.wanted).toMatchObject([{ isStartWanted: true }]);
      const taken = await Promise.all(Array.from({ length: 5 }, () => desktopApps.takeStarts(session.id, [appId])));
      expect(taken.flat()).toEqual([appId]);
      await app.get(AppStarts).start('sven', session.id, name);
      expect(jobs).toHaveLength(2);
      expect(await desktopApps.takeStarts(session.id, [randomUUID()])).toEqual([]);
      expect(await desktopApps.takeStarts(session.id, [appId])).toEqual([appId]);
    });

    it('is forgotten when the application fails', async () => {
      const name = await newApp();
      await assign(name);
      await spares(1);
      const session = await open(person('tess', role), { app: name });
      const [wanted] = (await desktopApps.wantedApps(desktopOf(session)))?.wanted ?? [];
      if (!wanted) throw new Error('nothing is wanted');
      const { appId, versionId, mode } = wanted;
      const failed = { versionId, mode, state: 'failed', reason: 'missing' } as const;
      await desktopApps.recordState(desktopOf(session), appId, failed);
      expect(await desktopApps.takeStarts(session.id, [appId])).toEqual([]);
    });

    it('is only for the own sessions and what they are given; opening goes on without it', async () => {
      const [name, other] = [await newApp(), await newApp('other')];
      await assign(name);
      const session = await open(person('uwe', role), { app: other });
      const start = (username: string, what: string) => app.get(AppStarts).start(username, session.id, what);
      await expect(start('uwe', other)).rejects.toMatchObject({ code: 'not-found' });
      await expect(start('vera', name)).rejects.toMatchObject({ code: 'not-found' });
      expect(await app.get(AppStarts).request('vera', session.id, name)).toBe(false);
      expect(await rows('SELECT 1 FROM app_starts WHERE session_id = $1', [session.id])).toEqual([]);
      await app.get(SessionService).logOff(person('uwe'), session.id);
      await expect(start('uwe', name)).rejects.toMatchObject({ code: 'conflict' });
    });
  });

  describe('what is allowed', () => {
    it('comes with a pin, at once, and goes at the next logon after it was taken away', async () => {
      const name = await newApp();
      await assign(name, { kind: 'allowed' });
      const walt = person('walt', role);
      await spares(1);
      const session = await open(walt);
      expect(session.apps).toEqual([]);
      const mine = () => app.get(MyApps).list(walt);
      expect(await mine()).toMatchObject([{ name, kind: 'allowed', pinned: false, pools: ['first', 'second'] }]);
      await Promise.all([sessionApps.pin(walt, name), sessionApps.pin(walt, name)]);
      expect(await mine()).toMatchObject([{ pinned: true }]);
      expect((await view(session, 'walt')).apps).toMatchObject([{ name }]);
      expect((await record('walt'))?.apps).toMatchObject([{ name, pinned: true }]);
      expect(new Set(jobs)).toEqual(new Set([session.desktop?.id]));
      await sessionApps.unpin(walt, name);
      expect((await view(session, 'walt')).apps).toMatchObject([{ name }]);
      expect(await mine()).toMatchObject([{ pinned: false }]);
      await app.get(SessionService).logOff(walt, session.id);
      expect((await open(walt)).apps).toEqual([]);
    });

    it('can be pinned before the first logon, by those whom it is allowed to', async () => {
      const [name, assigned] = [await newApp(), await newApp('assigned')];
      await assign(name, { kind: 'allowed' });
      await assign(assigned);
      const xena = person('xena', role);
      await expect(sessionApps.pin(person('yves'), name)).rejects.toMatchObject({ code: 'not-found' });
      await expect(sessionApps.pin(xena, assigned)).rejects.toMatchObject({ code: 'conflict' });
      await sessionApps.pin(xena, name);
      expect((await open(xena)).apps.map((one) => one.name).sort()).toEqual([name, assigned].sort());
    });
  });

  describe('registrations', () => {
    it('of the same volume at once are one version, of different ones are numbered without a gap', async () => {
      const name = `registered-${names}`;
      await Promise.all(Array.from({ length: 5 }, () => newVersion(name, 'same')));
      expect((await app.get(AppCatalogue).view(name)).versions.map(({ number }) => number)).toEqual([1]);
      await Promise.all(Array.from({ length: 5 }, (_, n) => newVersion(name, `other-${n}`)));
      expect((await app.get(AppCatalogue).view(name)).versions.map(({ number }) => number)).toEqual([6, 5, 4, 3, 2, 1]);
    });

    it('again keep ring and state; words and picture are those of the newest', async () => {
      const name = await newApp();
      await newVersion(name, 'v2', { displayName: 'Newer' }, 'pilot');
      await app.get(AppCatalogue).updateVersion(name, 1, { state: 'withdrawn' }, 'ivan');
      const shown = await newVersion(name, 'v1', { displayName: 'Older', label: 'relabelled' }, 'pilot');
      expect(shown).toMatchObject({
        displayName: 'Newer',
        versions: [
          { number: 2, ring: 'pilot' },
          { number: 1, ring: 'broad', state: 'withdrawn', label: 'relabelled' },
        ],
      });
    });
  });
});
