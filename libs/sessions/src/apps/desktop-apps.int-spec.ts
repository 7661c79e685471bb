import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AppCatalogue } from '#libs/apps';
import { MessageBus } from '#libs/bus';
import { until } from '#libs/testing';
import { AppsWorld, desktopOf, person } from '../../test/apps-world.js';
import { SessionService } from '../session-service.js';
import { AppStarts } from './app-starts.js';

describe('applications of desktops', () => {
  let world: AppsWorld;

  beforeAll(async () => {
    world = await AppsWorld.start();
  });
  afterAll(async () => {
    await world?.destroy();
  });
  beforeEach(() => world.begin());

  describe('a damaged version', () => {
    it('is taken from those who have it, and others are told what they go without', async () => {
      const name = await world.newApp();
      await world.assign(name);
      await world.spares(2);
      const session = await world.open(person('mia', world.role));
      await world.ready(session, name);
      world.jobs.length = 0;
      const versionId = (await world.desktopApps.wantedApps(desktopOf(session)))?.wanted[0]?.versionId ?? '';
      await world.desktopApps.markDamaged(versionId, 'chunk 7 is not what was signed');
      await world.desktopApps.markDamaged(versionId, 'again');
      expect(world.jobs).toEqual([session.desktop?.id]);
      expect((await world.view(session, 'mia')).apps).toMatchObject([{ state: 'failed', reason: 'damaged' }]);
      expect((await world.desktopApps.wantedApps(desktopOf(session)))?.wanted).toMatchObject([{ refusal: 'damaged' }]);
      const next = await world.open(person('nils', world.role));
      expect(next.state).toBe('ready');
      expect(next.apps).toMatchObject([{ name, state: 'failed', reason: 'damaged' }]);
      expect((await world.record('nils'))?.apps).toEqual([]);
      const shown = await world.app.get(AppCatalogue).view(name);
      expect(shown.versions).toMatchObject([{ state: 'damaged', failure: 'chunk 7 is not what was signed' }]);
      expect(shown.assignments).toMatchObject([{ serves: null }]);
    });

    it('makes room for the last good one of its ring', async () => {
      const name = await world.newApp();
      await world.newVersion(name, 'v2');
      await world.assign(name);
      const [second] = await world.rows<{ id: string }>(
        'SELECT app_versions.id FROM app_versions JOIN apps ON apps.id = app_id WHERE name = $1 AND number = 2',
        [name],
      );
      await world.desktopApps.markDamaged(second?.id ?? '', 'damaged');
      expect((await world.open(person('olga', world.role))).apps).toMatchObject([{ version: 1, state: 'waiting' }]);
      await world.app.get(AppCatalogue).updateVersion(name, 2, { state: 'published' }, 'ivan');
      expect((await world.open(person('paul', world.role))).apps).toMatchObject([{ version: 2, state: 'waiting' }]);
    });
  });

  describe('states of applications on a desktop', () => {
    it('move by the table only, tell the portal, and end with the desktop', async () => {
      const name = await world.newApp();
      await world.assign(name);
      await world.spares(2);
      const session = await world.open(person('quin', world.role));
      const desktopId = desktopOf(session);
      const [wanted] = (await world.desktopApps.wantedApps(desktopId))?.wanted ?? [];
      if (!wanted) throw new Error('nothing is wanted');
      const { appId, versionId, mode } = wanted;
      const move = (state: 'waiting' | 'attaching' | 'ready' | 'on-demand') =>
        world.desktopApps.recordState(desktopId, appId, { versionId, mode, state });
      const told: string[] = [];
      const stop = world.app.get(MessageBus).subscribe((message) => {
        if (message.type === 'session') told.push(message.sessionId);
      });
      await world.app.get(MessageBus).ready();
      expect(await move('ready')).toBe(false);
      expect([await move('attaching'), await move('attaching'), await move('ready')]).toEqual([true, true, true]);
      expect(await move('on-demand')).toBe(false);
      expect((await world.view(session, 'quin')).apps).toMatchObject([{ state: 'ready' }]);
      const failed = { versionId, mode, state: 'failed', reason: 'too-slow', detail: 'after 20 s' } as const;
      expect(await world.desktopApps.recordState(desktopId, appId, failed)).toBe(true);
      expect((await world.view(session, 'quin')).apps).toMatchObject([{ state: 'failed', reason: 'too-slow' }]);
      const events = await world.rows<{ to: string; reason: string }>(
        `SELECT to_state AS to, reason FROM state_events WHERE entity = 'session-app' AND entity_id = $1 ORDER BY id`,
        [desktopId],
      );
      expect(events).toEqual([
        { to: 'attaching', reason: name },
        { to: 'ready', reason: name },
        { to: 'failed', reason: `${name}: too-slow` },
      ]);
      const audited = await world.rows(
        `SELECT details FROM audit_entries WHERE action = 'app-failed' AND subject = $1`,
        [`app:${name}`],
      );
      const details = { desktop: desktopId, user: 'quin', version: 1, reason: 'too-slow', detail: 'after 20 s' };
      expect(audited).toEqual([{ details }]);
      expect(await world.app.get(AppCatalogue).view(name)).toMatchObject({
        people: 1,
        desktops: { ready: 0, failed: 1 },
      });
      await world.app.get(SessionService).logOff(person('quin'), session.id);
      await until('told of each change', () => told.filter((id) => id === session.id).length >= 4);
      stop();
      expect(await world.desktopApps.recordState(desktopId, appId, failed)).toBe(false);
      expect(await world.desktopApps.wantedApps(desktopId)).toBeUndefined();
      await world.desktopApps.sweep();
      expect(await world.rows('SELECT 1 FROM session_apps WHERE desktop_id = $1', [desktopId])).toEqual([]);
      expect(await world.rows('SELECT 1 FROM session_wanted_apps WHERE session_id = $1', [session.id])).toEqual([]);
    });

    it('that are not what they should be are found, and those that are, are not', async () => {
      const [name, more] = [await world.newApp(), await world.newApp('more')];
      await world.assign(name);
      await world.spares(1);
      const session = await world.open(person('rosa', world.role));
      const isFound = async (forSeconds = -1) =>
        (await world.desktopApps.desktopsOutOfStep('host-1', forSeconds)).includes(desktopOf(session));
      expect(await isFound()).toBe(true);
      expect(await isFound(3_600)).toBe(false);
      expect(await world.desktopApps.desktopsOutOfStep('host-2', -1)).toEqual([]);
      await world.ready(session, name);
      expect(await isFound()).toBe(false);
      await world.assign(more, { now: true });
      expect(await isFound()).toBe(true);
      await world.ready(session, more);
      await world.sessionApps.withdraw(more, world.role, true, 'ivan');
      expect(await isFound()).toBe(true);
      await world.desktopApps.forget(desktopOf(session), await world.idOf(more));
      expect(await isFound()).toBe(false);
      await world.assign(name, { mode: 'on-demand', now: true });
      expect(await isFound()).toBe(true);
      await world.assign(name, { now: true });
      expect(await isFound()).toBe(false);
      await world.app.get(AppStarts).start('rosa', session.id, name);
      expect(await isFound()).toBe(true);
      await world.desktopApps.takeStarts(session.id, [await world.idOf(name)]);
      expect(await isFound()).toBe(false);
      const held = (await world.desktopApps.wantedApps(desktopOf(session)))?.wanted[0];
      await world.desktopApps.markDamaged(held?.versionId ?? '', 'damaged');
      expect(await isFound()).toBe(true);
    });
  });

  describe('starting from outside', () => {
    it('is kept until the desktop has the application, and given out once', async () => {
      const name = await world.newApp();
      await world.assign(name, { mode: 'on-demand' });
      await world.spares(1);
      const session = await world.open(person('sven', world.role), { app: name });
      expect(world.jobs).toEqual([session.desktop?.id]);
      const appId = await world.idOf(name);
      expect((await world.desktopApps.wantedApps(desktopOf(session)))?.wanted).toMatchObject([{ isStartWanted: true }]);
      const taken = await Promise.all(
        Array.from({ length: 5 }, () => world.desktopApps.takeStarts(session.id, [appId])),
      );
      expect(taken.flat()).toEqual([appId]);
      await world.app.get(AppStarts).start('sven', session.id, name);
      expect(world.jobs).toHaveLength(2);
      expect(await world.desktopApps.takeStarts(session.id, [randomUUID()])).toEqual([]);
      expect(await world.desktopApps.takeStarts(session.id, [appId])).toEqual([appId]);
    });

    it('is forgotten when the application fails', async () => {
      const name = await world.newApp();
      await world.assign(name);
      await world.spares(1);
      const session = await world.open(person('tess', world.role), { app: name });
      const [wanted] = (await world.desktopApps.wantedApps(desktopOf(session)))?.wanted ?? [];
      if (!wanted) throw new Error('nothing is wanted');
      const { appId, versionId, mode } = wanted;
      const failed = { versionId, mode, state: 'failed', reason: 'missing' } as const;
      await world.desktopApps.recordState(desktopOf(session), appId, failed);
      expect(await world.desktopApps.takeStarts(session.id, [appId])).toEqual([]);
    });

    it('is only for the own sessions and what they are given; opening goes on without it', async () => {
      const [name, other] = [await world.newApp(), await world.newApp('other')];
      await world.assign(name);
      const session = await world.open(person('uwe', world.role), { app: other });
      const start = (username: string, what: string) => world.app.get(AppStarts).start(username, session.id, what);
      await expect(start('uwe', other)).rejects.toMatchObject({ code: 'not-found' });
      await expect(start('vera', name)).rejects.toMatchObject({ code: 'not-found' });
      expect(await world.app.get(AppStarts).request('vera', session.id, name)).toBe(false);
      expect(await world.rows('SELECT 1 FROM app_starts WHERE session_id = $1', [session.id])).toEqual([]);
      await world.app.get(SessionService).logOff(person('uwe'), session.id);
      await expect(start('uwe', name)).rejects.toMatchObject({ code: 'conflict' });
    });
  });

  describe('registrations', () => {
    it('of the same volume at once are one version, of different ones are numbered without a gap', async () => {
      const name = `registered-${world.names}`;
      await Promise.all(Array.from({ length: 5 }, () => world.newVersion(name, 'same')));
      expect((await world.app.get(AppCatalogue).view(name)).versions.map(({ number }) => number)).toEqual([1]);
      await Promise.all(Array.from({ length: 5 }, (_, n) => world.newVersion(name, `other-${n}`)));
      expect((await world.app.get(AppCatalogue).view(name)).versions.map(({ number }) => number)).toEqual([
        6, 5, 4, 3, 2, 1,
      ]);
    });

    it('again keep ring and state; words and picture are those of the newest', async () => {
      const name = await world.newApp();
      await world.newVersion(name, 'v2', { displayName: 'Newer' }, 'pilot');
      await world.app.get(AppCatalogue).updateVersion(name, 1, { state: 'withdrawn' }, 'ivan');
      const shown = await world.newVersion(name, 'v1', { displayName: 'Older', label: 'relabelled' }, 'pilot');
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
