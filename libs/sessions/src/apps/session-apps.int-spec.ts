import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AppCatalogue } from '#libs/apps';
import { transact } from '#libs/database';
import { recordLogons } from '#libs/profiles';
import { until } from '#libs/testing';
import { AppsWorld, desktopOf, person } from '../../test/apps-world.js';
import { SessionQueries } from '../session-queries.js';
import { SessionService } from '../session-service.js';
import { MyApps } from './my-apps.js';

describe('applications of people and sessions', () => {
  let world: AppsWorld;

  beforeAll(async () => {
    world = await AppsWorld.start();
  });
  afterAll(async () => {
    await world?.destroy();
  });
  beforeEach(() => world.begin());

  describe('a logon', () => {
    it('stores the record, shows what comes, and has the desktop made so', async () => {
      const name = await world.newApp();
      await world.assign(name);
      await world.spares(1);
      const session = await world.open(person('anna', world.role));
      expect(session.apps).toEqual([
        {
          ...{ name, displayName: `The ${name}`, version: 1, label: 'v1', mode: 'at-logon', state: 'waiting' },
          reason: null,
        },
      ]);
      expect(await world.record('anna')).toMatchObject({
        roles: ['staff', world.role],
        apps: [{ name, version: 1, mode: 'at-logon', role: world.role, pinned: false }],
      });
      expect(world.jobs).toEqual([session.desktop?.id]);
      const wanted = await world.desktopApps.wantedApps(desktopOf(session));
      expect(wanted).toMatchObject({
        ...{ host: 'host-1', sessionId: session.id, username: 'anna', leaving: [] },
        wanted: [{ name, mode: 'at-logon', refusal: null, held: null, isStartWanted: false }],
      });
      expect(JSON.parse(wanted?.wanted[0]?.document.payload ?? '')).toMatchObject({ name, label: 'v1' });
    });

    it('costs people without applications no job, but leaves a record', async () => {
      await world.spares(1);
      const session = await world.open(person('bert', world.role));
      expect([session.state, session.apps, world.jobs]).toEqual(['ready', [], []]);
      expect(await world.record('bert')).toMatchObject({ roles: ['staff', world.role], apps: [] });
    });

    it('asks again only when a session is opened, not when the live one is returned', async () => {
      const name = await world.newApp();
      const session = await world.open(person('cleo', world.role));
      await world.assign(name);
      expect((await world.open(person('cleo', world.role))).apps).toEqual([]);
      expect((await world.record('cleo'))?.apps).toEqual([]);
      await world.app.get(SessionService).logOff(person('cleo'), session.id);
      expect((await world.open(person('cleo', world.role))).apps).toMatchObject([{ name }]);
    });

    it('of a second session leaves the first one as it is', async () => {
      const [old, fresh] = [await world.newApp('old'), await world.newApp('fresh')];
      await world.assign(old);
      const first = await world.open(person('dora', world.role));
      await world.sessionApps.withdraw(old, world.role, false, 'ivan');
      await world.assign(fresh);
      const second = await world.open(person('dora', world.role), { pool: 'second' });
      expect(second.apps).toMatchObject([{ name: fresh }]);
      expect((await world.view(first, 'dora')).apps).toMatchObject([{ name: old }]);
      expect((await world.record('dora'))?.apps).toMatchObject([{ name: fresh }]);
    });

    it('gives the same after a recycle, and has the new desktop made so', async () => {
      const name = await world.newApp();
      await world.assign(name);
      await world.spares(2);
      const session = await world.open(person('emil', world.role));
      await world.ready(session, name);
      await world.sessionApps.withdraw(name, world.role, false, 'ivan');
      const again = await world.app.get(SessionService).recycle(person('emil'), session.id);
      expect(again.apps).toMatchObject([{ name, state: 'waiting' }]);
      expect(world.jobs).toEqual([session.desktop?.id, again.desktop?.id]);
      expect(desktopOf(again)).not.toBe(desktopOf(session));
    });

    it('of people at the same moment keeps to what each of them is', async () => {
      const name = await world.newApp();
      await world.assign(name);
      const people = Array.from({ length: 40 }, (_, n) => person(`many-${n}`, ...(n % 2 ? [world.role] : [])));
      const sessions = await Promise.all(people.map((one) => world.open(one)));
      expect(sessions.map(({ apps }) => apps.length)).toEqual(people.map((_, n) => n % 2));
      const stored = await Promise.all(people.map(({ username }) => world.record(username)));
      expect(stored.map((one) => one?.apps.length)).toEqual(people.map((_, n) => n % 2));
    });

    it('twice at once by the same person, on two brokers, ends with the record of one of them', async () => {
      const [one, two] = [await world.newApp('one'), await world.newApp('two')];
      await world.assign(one, {}, `${world.role}-1`);
      await world.assign(two, {}, `${world.role}-2`);
      const pools = await world.rows<{ id: string }>('SELECT id FROM pools');
      for (let round = 0; round < 10; round += 1) {
        const username = `twice-${round}`;
        await Promise.all(
          ['1', '2'].map((which, at) =>
            transact(world.database.dataSource, async (unit) => {
              const [session] = await unit.rows<{ id: string }>(
                `INSERT INTO sessions (username, pool_id, state, waiting_since, phases) VALUES ($1, $2, 'pending', now(), '[]')
                 RETURNING id`,
                [username, pools[at]?.id],
              );
              const logon = { sessionId: session?.id ?? '', username, roles: [`${world.role}-${which}`] };
              await recordLogons(unit, [logon]);
            }),
          ),
        );
        const kept = await world.record(username);
        expect(kept?.apps.map(({ role: from }) => from)).toEqual(kept?.roles);
      }
    });
  });

  describe('changes', () => {
    it('count from the next logon on, unless they are for now', async () => {
      const name = await world.newApp();
      await world.spares(1);
      const session = await world.open(person('fred', world.role));
      await world.assign(name);
      expect((await world.view(session, 'fred')).apps).toEqual([]);
      await world.assign(name, { now: true });
      expect((await world.view(session, 'fred')).apps).toMatchObject([{ name, state: 'waiting' }]);
      expect((await world.record('fred'))?.apps).toMatchObject([{ name }]);
      expect(world.jobs).toEqual([session.desktop?.id]);
      await world.ready(session, name);
      await world.sessionApps.withdraw(name, world.role, true, 'ivan');
      expect((await world.view(session, 'fred')).apps).toEqual([]);
      expect(world.jobs).toHaveLength(2);
      const wanted = await world.desktopApps.wantedApps(desktopOf(session));
      expect(wanted).toMatchObject({ wanted: [], leaving: [{ name, state: 'ready' }] });
      await world.desktopApps.forget(desktopOf(session), await world.idOf(name));
      expect((await world.desktopApps.wantedApps(desktopOf(session)))?.leaving).toEqual([]);
    });

    it('for now leave other applications and other people as they are', async () => {
      const [mine, other] = [await world.newApp('mine'), await world.newApp('other')];
      await world.spares(2);
      const session = await world.open(person('gina', world.role));
      const stranger = await world.open(person('hugo'));
      await world.assign(other);
      await world.assign(mine, { now: true });
      expect((await world.view(session, 'gina')).apps).toMatchObject([{ name: mine }]);
      expect((await world.view(stranger, 'hugo')).apps).toEqual([]);
      expect(world.jobs).toEqual([session.desktop?.id]);
    });

    it('for now keep what another role gives', async () => {
      const name = await world.newApp();
      await world.newVersion(name, 'v2');
      await world.assign(name, { version: 1 });
      await world.assign(name, {}, `${world.role}-more`);
      const session = await world.open(person('ilse', world.role, `${world.role}-more`));
      expect(session.apps).toMatchObject([{ version: 1 }]);
      await world.sessionApps.withdraw(name, world.role, true, 'ivan');
      expect((await world.view(session, 'ilse')).apps).toMatchObject([{ version: 2 }]);
    });

    it('for now miss nobody who logs on meanwhile', async () => {
      for (let round = 0; round < 3; round += 1) {
        const name = `race-${world.names}-${round}`;
        const to = `${world.role}-${round}`;
        await world.newVersion(name, 'v1');
        const people = Array.from({ length: 20 }, (_, n) => person(`race-${world.names}-${round}-${n}`, to));
        const [sessions] = await Promise.all([
          Promise.all(people.map((one) => world.open(one))),
          world.assign(name, { now: true }, to),
        ]);
        const shown = await Promise.all(sessions.map((session, n) => world.view(session, people[n]?.username ?? '')));
        expect(shown.map(({ apps }) => apps.length)).toEqual(people.map(() => 1));
      }
    });

    it('for now wait for a logon that has read the assignments already', async () => {
      const name = await world.newApp();
      const owner = person('slow', world.role);
      let assigning: Promise<unknown> | undefined;
      let isDone = false;
      const session = await transact(world.database.dataSource, async (unit) => {
        const [added] = await unit.rows<{ id: string }>(
          `INSERT INTO sessions (username, pool_id, state, waiting_since, phases)
           SELECT $1, id, 'pending', now(), '[]' FROM pools LIMIT 1 RETURNING id`,
          [owner.username],
        );
        await recordLogons(unit, [{ ...owner, sessionId: added?.id ?? '' }]);
        assigning = world.assign(name, { now: true }).finally(() => {
          isDone = true;
        });
        await until('the assignment waits', async () => {
          const waiting = await world.rows(
            `SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = database
              WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()`,
          );
          return isDone || waiting.length > 0;
        });
        return added?.id ?? '';
      });
      await assigning;
      const shown = await world.app.get(SessionQueries).view(owner.username, session);
      expect(shown.apps).toMatchObject([{ name }]);
    });

    it('of a withdrawn version take it from nobody who has it, and give it to nobody else', async () => {
      const name = await world.newApp();
      await world.assign(name);
      await world.spares(2);
      const has = await world.open(person('jan', world.role));
      await world.ready(has, name);
      const waits = await world.open(person('kim', world.role));
      await world.app.get(AppCatalogue).updateVersion(name, 1, { state: 'withdrawn' }, 'ivan');
      expect((await world.view(has, 'jan')).apps).toMatchObject([{ state: 'ready' }]);
      expect((await world.desktopApps.wantedApps(desktopOf(has)))?.wanted).toMatchObject([{ refusal: null }]);
      expect((await world.view(waits, 'kim')).apps).toMatchObject([{ state: 'failed', reason: 'withdrawn' }]);
      expect((await world.desktopApps.wantedApps(desktopOf(waits)))?.wanted).toMatchObject([{ refusal: 'withdrawn' }]);
      expect((await world.open(person('lars', world.role))).apps).toEqual([]);
    });
  });

  describe('what is allowed', () => {
    it('comes with a pin, at once, and goes at the next logon after it was taken away', async () => {
      const name = await world.newApp();
      await world.assign(name, { kind: 'allowed' });
      const walt = person('walt', world.role);
      await world.spares(1);
      const session = await world.open(walt);
      expect(session.apps).toEqual([]);
      const mine = () => world.app.get(MyApps).list(walt);
      expect(await mine()).toMatchObject([{ name, kind: 'allowed', pinned: false, pools: ['first', 'second'] }]);
      await Promise.all([world.sessionApps.pin(walt, name), world.sessionApps.pin(walt, name)]);
      expect(await mine()).toMatchObject([{ pinned: true }]);
      expect((await world.view(session, 'walt')).apps).toMatchObject([{ name }]);
      expect((await world.record('walt'))?.apps).toMatchObject([{ name, pinned: true }]);
      expect(new Set(world.jobs)).toEqual(new Set([session.desktop?.id]));
      await world.sessionApps.unpin(walt, name);
      expect((await world.view(session, 'walt')).apps).toMatchObject([{ name }]);
      expect(await mine()).toMatchObject([{ pinned: false }]);
      await world.app.get(SessionService).logOff(walt, session.id);
      expect((await world.open(walt)).apps).toEqual([]);
    });

    it('can be pinned before the first logon, by those whom it is allowed to', async () => {
      const [name, assigned] = [await world.newApp(), await world.newApp('assigned')];
      await world.assign(name, { kind: 'allowed' });
      await world.assign(assigned);
      const xena = person('xena', world.role);
      await expect(world.sessionApps.pin(person('yves'), name)).rejects.toMatchObject({ code: 'not-found' });
      await expect(world.sessionApps.pin(xena, assigned)).rejects.toMatchObject({ code: 'conflict' });
      await world.sessionApps.pin(xena, name);
      expect((await world.open(xena)).apps.map((one) => one.name).sort()).toEqual([name, assigned].sort());
    });
  });
});
