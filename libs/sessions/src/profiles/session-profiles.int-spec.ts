import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { AuditLog } from '#libs/audit';
import { MessageBus } from '#libs/bus';
import { type PoolProfile, poolProfileSchema, type SessionView } from '#libs/contracts';
import { readRows } from '#libs/database';
import { DesktopLifecycle, PoolService } from '#libs/desktops';
import { FleetStore } from '#libs/fleet';
import { JobDispatcher } from '#libs/jobs';
import { ProfileVolumes } from '#libs/profiles';
import { SessionWorld } from '../../test/session-world.js';
import { DesktopApps } from '../apps/desktop-apps.js';
import { SessionAllocator } from '../session-allocator.js';
import { SessionExpiry } from '../session-expiry.js';
import { SessionQueries } from '../session-queries.js';
import { SessionReplacement } from '../session-replacement.js';
import { SessionService } from '../session-service.js';
import { SessionProfiles } from './session-profiles.js';

const work = (more: Partial<PoolProfile> = {}) => poolProfileSchema.parse({ context: 'work', ...more });
const ready = { state: 'ready' } as const;

describe('profiles of sessions', () => {
  let world: SessionWorld;
  let app: TestingModule;
  let profiles: SessionProfiles;
  let sessions: SessionService;
  /** Jobs and announced states, in their order. */
  const jobs: string[] = [];
  const told: string[] = [];
  let people = 0;
  let alice = { username: '', roles: ['staff'] };

  beforeAll(async () => {
    world = await SessionWorld.start();
    app = world.app;
    profiles = app.get(SessionProfiles);
    sessions = app.get(SessionService);
    jest.spyOn(app.get(JobDispatcher), 'enqueue').mockImplementation(async (name, payload, options) => {
      if ('desktopId' in payload && name !== 'desktop.destroy')
        jobs.push(`${name} ${payload.desktopId} ${options?.host}`);
    });
    jest.spyOn(app.get(MessageBus), 'publish').mockImplementation(async (message) => {
      if (message.type === 'session') told.push(`${message.sessionId} ${message.state}`);
    });
    await pool('plain', null);
    await pool('first', work());
    await pool('second', work({ atLogOff: 'ask' }));
    await pool('looking', work({ conflict: 'read-only' }));
    await pool('erasing', work({ context: 'guest', atLogOff: 'erase' }));
    await rows(`INSERT INTO hosts (name, driver, accelerator, vcpus, memory_mib, available_memory_mib,
      available_disk_mib, last_seen_at) SELECT 'host-2', driver, accelerator, vcpus, memory_mib, available_memory_mib,
      available_disk_mib, now() FROM hosts WHERE name = 'host-1'`);
  });

  afterAll(async () => {
    await world?.destroy();
  });

  beforeEach(async () => {
    await rows(`UPDATE sessions SET state = 'failed', waiting_since = NULL WHERE state NOT IN ('ended', 'failed')`);
    await rows(`UPDATE desktops SET state = 'recycling' WHERE state = 'assigned'`);
    await rows(`UPDATE desktops SET state = 'deleted' WHERE state <> 'deleted'`);
    await rows(`UPDATE hosts SET last_seen_at = now(), fenced_at = NULL`);
    await rows(`UPDATE pools SET profile = $1 WHERE name = 'first'`, [JSON.stringify(work())]);
    people += 1;
    alice = { username: `alice-${people}`, roles: ['staff'] };
    told.length = 0;
    jobs.length = 0;
  });

  const rows = <Row>(sql: string, parameters: unknown[] = []) =>
    readRows<Row>(world.database.dataSource, sql, parameters);

  async function pool(name: string, profile: PoolProfile | null): Promise<void> {
    await app.get(PoolService).create(
      {
        ...{ name, displayName: name, description: '', image: 'debian', vcpus: 1, roles: ['staff'], profile },
        ...{ spares: 0, max: 1_000, memoryMiB: 512, disconnectTimeoutMinutes: 5 },
      },
      'test',
    );
  }

  /** A spare of the pool, as if its machine had just become ready. */
  async function spare(name = 'first', host = 'host-1'): Promise<string> {
    const id = randomUUID();
    await rows(
      `INSERT INTO desktops (id, pool_id, image_version_id, host, state)
       SELECT $1, pools.id, image_versions.id, $3, 'provisioning' FROM pools, image_versions WHERE pools.name = $2`,
      [id, name, host],
    );
    const [found] = await app.get(FleetStore).poolsNamed([name]);
    const display = { host: '127.0.0.1', port: 5900, password: 'pw' };
    await app.get(DesktopLifecycle).becomeAvailable({ id, poolId: found?.id ?? '', host }, display);
    return id;
  }

  const serve = async (name = 'first') => {
    const [found] = await app.get(FleetStore).poolsNamed([name]);
    await app.get(SessionAllocator).assignWaiting(found?.id ?? '');
  };
  const open = (name = 'first') => sessions.open(alice, { pool: name });
  const view = ({ id }: SessionView) => app.get(SessionQueries).view(alice.username, id);
  /** With a desktop of its own. */
  async function opened(name = 'first', host = 'host-1'): Promise<{ session: SessionView; desktopId: string }> {
    const desktopId = await spare(name, host);
    const session = await open(name);
    expect(session.desktop?.id).toBe(desktopId);
    return { session, desktopId };
  }
  const volumeOf = async (context = 'work') => {
    const key = { username: alice.username, context };
    return (await new ProfileVolumes(world.database.dataSource).findOrMake(key, () => Buffer.alloc(60))).id;
  };
  const hold = (volumeId: string, desktopId: string | null) =>
    rows(
      `UPDATE profile_leases SET fence = fence + 1, desktop_id = $2, acquired_at = now(),
              host = (SELECT host FROM desktops WHERE id = $2) WHERE volume_id = $1`,
      [volumeId, desktopId],
    );
  const silence = (host: string) =>
    rows(`UPDATE hosts SET last_seen_at = now() - interval '1 hour' WHERE name = $1`, [host]);

  describe('at the logon', () => {
    it('waits with the desktop until the profile is there', async () => {
      const { session, desktopId } = await opened();
      expect(session).toMatchObject({ state: 'preparing', queue: null });
      expect(session.profile).toEqual({
        ...{ context: 'work', state: 'waiting', mode: 'write', notice: null, reason: null },
        ...{ usedBytes: null, totalBytes: null, savedAt: null, atLogOff: 'keep' },
      });
      expect(jobs).toContain(`desktop.profile ${desktopId} host-1`);
      expect(session.phases.map(({ name }) => name)).toEqual(['authorize', 'allocate', 'prepare', 'profile']);
      await expect(sessions.ticketClaims(alice, session.id)).rejects.toMatchObject({ code: 'conflict' });

      expect(await profiles.wanted(desktopId)).toEqual({
        ...{ desktopId, host: 'host-1', desktopState: 'assigned', sessionId: session.id, sessionState: 'preparing' },
        ...{ username: alice.username, roles: ['staff'], context: 'work', policy: work(), state: 'waiting' },
        ...{ mode: 'write', volumeId: null, baseNumber: null, outcome: 'keep', versionReason: 'recycle' },
      });
      const volumeId = await volumeOf();
      expect(await profiles.report(desktopId, { state: 'opening', volumeId, baseNumber: 3 })).toBe(true);
      expect(await view(session)).toMatchObject({ state: 'preparing', profile: { state: 'opening' } });
      expect(await profiles.wanted(desktopId)).toMatchObject({ volumeId, baseNumber: 3, state: 'opening' });
      expect(await profiles.openOn('host-1')).toEqual([]);

      told.length = 0;
      expect(await profiles.report(desktopId, { ...ready, usedBytes: 10, totalBytes: 100 })).toBe(true);
      const open = await view(session);
      expect(open).toMatchObject({ state: 'ready', profile: { state: 'ready', usedBytes: 10, totalBytes: 100 } });
      expect(await profiles.openOn('host-1')).toEqual([{ desktopId, usedBytes: 10, totalBytes: 100 }]);
      expect(await profiles.openOn('host-2')).toEqual([]);
      expect(told).toEqual([`${session.id} ready`]);
      expect(open.phases.slice(3)).toEqual([
        { name: 'profile', startedAt: expect.any(String), durationMs: expect.any(Number) },
        { name: 'connect', startedAt: expect.any(String), durationMs: null },
      ]);
      await sessions.ticketClaims(alice, session.id);
    });

    it('says before there is a desktop that there will be a profile, and serves the queue as ever', async () => {
      const session = await open();
      expect(session).toMatchObject({ state: 'pending', queue: { position: 1 }, profile: { state: 'waiting' } });
      const desktopId = await spare();
      await serve();
      expect(await view(session)).toMatchObject({ state: 'preparing', queue: null, desktop: { id: desktopId } });
    });

    it('costs a pool without profiles nothing', async () => {
      const { session, desktopId } = await opened('plain');
      expect(session).toMatchObject({ state: 'ready', profile: null });
      expect(jobs.filter((job) => job.startsWith('desktop.profile'))).toEqual([]);
      expect(await profiles.wanted(desktopId)).toBeUndefined();
      expect(await profiles.report(desktopId, ready)).toBe(false);
    });

    it('goes on without the profile when it cannot be had, and says that nothing is kept', async () => {
      const { session, desktopId } = await opened();
      await profiles.report(desktopId, { state: 'failed', reason: 'damaged', detail: 'bad superblock' });
      const profile = { state: 'failed', reason: 'damaged', notice: 'not-kept' };
      expect(await view(session)).toMatchObject({ state: 'ready', profile });
      const { entries } = await app.get(AuditLog).list({ action: 'profile-failed', limit: 1 });
      expect(entries[0]).toMatchObject({
        subject: `session:${session.id}`,
        details: { desktop: desktopId, user: alice.username, reason: 'damaged', detail: 'bad superblock' },
      });
      expect(await profiles.report(desktopId, ready)).toBe(false);
      expect(await view(session)).toMatchObject({ profile });
    });

    it('never starts an application before the home is there', async () => {
      const { session, desktopId } = await opened();
      const [{ id: appId } = { id: '' }] = await rows<{ id: string }>(
        `WITH app AS (INSERT INTO apps (name, display_name, icon_type, icon)
                      VALUES ($1, 'An app', 'image/png', '\\x00') RETURNING id),
         version AS (
           INSERT INTO app_versions (app_id, number, label, ring, volume_id, layer_bytes, installed_bytes, os_id,
                  os_version_id, os_architecture, base_image, packages, payload, signature, key_id, created_by)
           SELECT id, 1, '1', 'broad', $2, 1, 1, 'debian', '12', 'x86_64', 'debian', 0, '{}', 's', 'k', 'test' FROM app
           RETURNING id, app_id),
         wanted AS (
           INSERT INTO session_wanted_apps (session_id, app_id, app_version_id, mode)
           SELECT $3, app_id, id, 'at-logon' FROM version)
         INSERT INTO app_starts (session_id, app_id, requested_at) SELECT $3, id, now() - interval '1 hour' FROM app
         RETURNING app_id AS id`,
        [`app-${people}`, '0'.repeat(64), session.id],
      );
      const isStartWanted = async () =>
        (await app.get(DesktopApps).wantedApps(desktopId))?.wanted.find((each) => each.appId === appId)?.isStartWanted;
      expect(await isStartWanted()).toBe(false);
      jobs.length = 0;
      await profiles.report(desktopId, ready);
      expect(await isStartWanted()).toBe(true);
      expect(jobs).toEqual([`desktop.apps ${desktopId} host-1`]);
    });
  });

  describe('when desktops come and go meanwhile', () => {
    it('brings the profile to the next desktop when the first one dies before it was there', async () => {
      const { session, desktopId } = await opened();
      await app.get(SessionReplacement).loseDesktop(desktopId, 'machine-lost');
      const lost = { state: 'preparing', desktop: null, queue: { position: 1 }, preparingReason: 'machine-lost' };
      expect(await view(session)).toMatchObject(lost);
      expect(await profiles.report(desktopId, ready)).toBe(false);
      expect(await view(session)).toMatchObject(lost);

      const next = await spare();
      await serve();
      expect(await view(session)).toMatchObject({ state: 'preparing', desktop: { id: next }, queue: null });
      expect(jobs).toContain(`desktop.profile ${next} host-1`);
      // Late news of the first desktop does not make the session ready with the second.
      expect(await profiles.report(desktopId, { state: 'failed', reason: 'failed' })).toBe(false);
      expect((await view(session)).state).toBe('preparing');
      expect(await profiles.report(desktopId, { state: 'closed' })).toBe(true);
      await profiles.report(next, ready);
      expect((await view(session)).state).toBe('ready');
    });

    it('comes to the clean desktop after a restart', async () => {
      const { session, desktopId } = await opened();
      await profiles.report(desktopId, ready);
      const next = await spare();
      const again = await sessions.recycle(alice, session.id);
      expect(again).toMatchObject({ state: 'preparing', desktop: { id: next }, profile: { state: 'waiting' } });
      expect(await profiles.outcomeOf(desktopId)).toBe('keep');
      expect(await profiles.wanted(desktopId)).toMatchObject({ desktopState: 'recycling', versionReason: 'recycle' });
      await profiles.report(next, ready);
      expect(await view(session)).toMatchObject({ state: 'ready' });
    });

    it('does not bring a session back that has ended', async () => {
      const { session, desktopId } = await opened();
      const ended = await sessions.logOff(alice, session.id);
      expect(ended).toMatchObject({ state: 'ended', endReason: 'log-off', profile: null });
      expect(await profiles.report(desktopId, ready)).toBe(false);
      expect((await view(session)).state).toBe('ended');
    });

    it('is not failed for waiting long', async () => {
      const { session } = await opened();
      await rows(
        `UPDATE sessions SET created_at = now() - interval '2 days',
                         state_changed_at = now() - interval '2 days' WHERE id = $1`,
        [session.id],
      );
      await app.get(SessionExpiry).failStuck();
      await app.get(SessionExpiry).endAbandoned();
      expect((await view(session)).state).toBe('preparing');
    });

    it('keeps to what the pool said when the desktop was given', async () => {
      const { desktopId } = await opened();
      await app.get(PoolService).update('first', { profile: work({ writeBackMinutes: 60 }) }, 'ivan');
      expect((await profiles.wanted(desktopId))?.policy.writeBackMinutes).toBe(5);
      expect(await app.get(PoolService).update('first', { profile: null }, 'ivan')).toMatchObject({ profile: null });
      const other = { ...alice, username: `other-${people}` };
      await spare();
      expect(await sessions.open(other, { pool: 'first' })).toMatchObject({ state: 'ready', profile: null });
      const updated = await app.get(PoolService).update('first', { profile: work() }, 'ivan');
      expect(updated.profile).toEqual(work());
    });
  });

  describe('at the end', () => {
    it('erases only where the person was asked and said so', async () => {
      const { session, desktopId } = await opened('second');
      expect(session.profile?.atLogOff).toBe('ask');
      await sessions.logOff(alice, session.id, 'erase');
      expect(await profiles.outcomeOf(desktopId)).toBe('erase');
      expect(await profiles.wanted(desktopId)).toMatchObject({ outcome: 'erase', versionReason: 'log-off' });
      const { entries } = await app.get(AuditLog).list({ action: 'log-off', limit: 1 });
      expect(entries[0]?.details).toEqual({ desktop: desktopId, profile: 'erase' });
      const silent = await opened('second');
      await sessions.logOff(alice, silent.session.id);
      expect(await profiles.outcomeOf(silent.desktopId)).toBe('keep');
    });

    it('refuses a choice that the pool does not leave, and the session goes on', async () => {
      const { session, desktopId } = await opened();
      const refused = { code: 'forbidden' };
      await expect(sessions.logOff(alice, session.id, 'erase')).rejects.toMatchObject(refused);
      expect((await view(session)).state).toBe('preparing');
      expect(await profiles.outcomeOf(desktopId)).toBe('keep');
      await sessions.logOff(alice, session.id, 'keep');
      expect(await profiles.outcomeOf(desktopId)).toBe('keep');
    });

    it('erases where the pool does, but not at a restart', async () => {
      const { session, desktopId } = await opened('erasing');
      await profiles.report(desktopId, ready);
      const next = await spare('erasing');
      await sessions.recycle(alice, session.id);
      expect(await profiles.outcomeOf(desktopId)).toBe('keep');
      await sessions.expire(session.id);
      expect((await view(session)).state).toBe('preparing');
      await profiles.report(next, ready);
      await sessions.expire(session.id);
      expect(await view(session)).toMatchObject({ state: 'ended', endReason: 'expired' });
      expect(await profiles.outcomeOf(next)).toBe('erase');
    });

    it('ignores a choice where there is no profile', async () => {
      const { session } = await opened('plain');
      expect((await sessions.logOff(alice, session.id, 'erase')).state).toBe('ended');
    });
  });

  describe('roaming', () => {
    it('ends the session elsewhere, tells its browser why, and goes on when the lease is free', async () => {
      const first = await opened();
      const volumeId = await volumeOf();
      await profiles.report(first.desktopId, { ...ready, volumeId });
      await hold(volumeId, first.desktopId);
      const second = await opened('second', 'host-2');
      told.length = 0;
      expect(await profiles.askToRoam(volumeId, second.desktopId)).toBe('wait');
      expect(await view(first.session)).toMatchObject({ state: 'ended', endReason: 'roamed' });
      expect(told).toEqual([`${first.session.id} ended`, `${second.session.id} preparing`]);
      expect(await profiles.wanted(first.desktopId)).toMatchObject({ versionReason: 'roamed', outcome: 'keep' });
      expect(await view(second.session)).toMatchObject({ profile: { state: 'waiting', notice: 'in-use' } });
      expect(await profiles.waitingFor(volumeId)).toEqual([{ desktopId: second.desktopId, host: 'host-2' }]);
      const { entries } = await app.get(AuditLog).list({ action: 'session-roamed', limit: 1 });
      expect(entries[0]).toMatchObject({ actor: alice.username, subject: `session:${first.session.id}` });

      // Nothing more is ended while the lease is on its way back.
      expect(await profiles.askToRoam(volumeId, second.desktopId)).toBe('wait');
      await hold(volumeId, null);
      expect(await profiles.askToRoam(volumeId, second.desktopId)).toBe('free');
      await profiles.report(second.desktopId, { state: 'opening', volumeId });
      expect((await view(second.session)).profile?.notice).toBeNull();
      expect(await profiles.waitingFor(volumeId)).toEqual([]);
    });

    it('lets the desktop that the person came to last win, whoever asks', async () => {
      const first = await opened();
      const second = await opened('second');
      const volumeId = await volumeOf();
      await hold(volumeId, second.desktopId);
      expect(await profiles.askToRoam(volumeId, first.desktopId)).toBe('gone');
      expect(await view(first.session)).toMatchObject({ state: 'ended', endReason: 'roamed' });
      expect((await view(second.session)).state).toBe('preparing');
    });

    it('says when the host of the other desktop does not answer, and takes from one that IT has fenced', async () => {
      const first = await opened('first', 'host-2');
      const volumeId = await volumeOf();
      await hold(volumeId, first.desktopId);
      await silence('host-2');
      const second = await opened('second');
      expect(await profiles.askToRoam(volumeId, second.desktopId)).toBe('wait');
      expect(await view(second.session)).toMatchObject({ state: 'preparing', profile: { notice: 'host-silent' } });
      await app.get(SessionExpiry).failStuck();
      expect((await view(second.session)).state).toBe('preparing');
      await rows(`UPDATE hosts SET fenced_at = now() WHERE name = 'host-2'`);
      expect(await profiles.askToRoam(volumeId, second.desktopId)).toBe('free');
    });

    it('opens read-only beside another session where the pool says so', async () => {
      const first = await opened();
      await profiles.report(first.desktopId, ready);
      const volumeId = await volumeOf();
      await hold(volumeId, first.desktopId);
      const second = await opened('looking');
      expect(await profiles.askToRoam(volumeId, second.desktopId)).toBe('read-only');
      expect((await view(first.session)).state).toBe('ready');
      await profiles.report(second.desktopId, { ...ready, mode: 'read-only' });
      const profile = { mode: 'read-only', notice: 'read-only' };
      expect(await view(second.session)).toMatchObject({ state: 'ready', profile });
    });

    it("never touches another person's session", async () => {
      const first = await opened();
      const volumeId = await volumeOf();
      await hold(volumeId, first.desktopId);
      const mine = alice;
      alice = { ...alice, username: `mallory-${people}` };
      const second = await opened('second');
      expect(await profiles.askToRoam(volumeId, second.desktopId)).toBe('gone');
      expect((await app.get(SessionQueries).view(mine.username, first.session.id)).state).toBe('preparing');
    });
  });

  describe('write-back', () => {
    it('is due when the interval has passed, and again after each version', async () => {
      const { session, desktopId } = await opened();
      const volumeId = await volumeOf();
      await profiles.report(desktopId, { ...ready, volumeId });
      expect(await profiles.dueForVersion('host-1')).toEqual([]);
      await rows(`UPDATE session_profiles SET next_save_at = now() WHERE desktop_id = $1`, [desktopId]);
      const due = { desktopId, volumeId, reason: 'write-back' };
      expect(await profiles.dueForVersion('host-1')).toEqual([due]);
      expect(await profiles.dueForVersion('host-2')).toEqual([]);
      await profiles.report(desktopId, { ...ready, notice: 'saving' });
      expect((await view(session)).profile).toMatchObject({ notice: 'saving', savedAt: null });
      await profiles.report(desktopId, { ...ready, save: 'done', usedBytes: 95, totalBytes: 100 });
      expect((await view(session)).profile).toMatchObject({ notice: 'nearly-full', savedAt: expect.any(String) });
      expect(await profiles.dueForVersion('host-1')).toEqual([]);
    });

    it('is due once when nobody looks any more, and not at once again after a failure', async () => {
      const { session, desktopId } = await opened();
      const volumeId = await volumeOf();
      await profiles.report(desktopId, { ...ready, volumeId });
      await profiles.report(desktopId, { ...ready, save: 'done' });
      await rows(`UPDATE sessions SET state = 'disconnected', state_changed_at = clock_timestamp() WHERE id = $1`, [
        session.id,
      ]);
      const due = { desktopId, volumeId, reason: 'disconnect' };
      expect(await profiles.dueForVersion('host-1')).toEqual([due]);
      await profiles.report(desktopId, { ...ready, save: 'failed' });
      expect((await view(session)).profile?.notice).toBe('save-failed');
      expect(await profiles.dueForVersion('host-1')).toEqual([]);
      await rows(`UPDATE session_profiles SET next_save_at = now() WHERE desktop_id = $1`, [desktopId]);
      expect(await profiles.dueForVersion('host-1')).toEqual([due]);
      await profiles.report(desktopId, { ...ready, save: 'done' });
      expect(await profiles.dueForVersion('host-1')).toEqual([]);
    });

    it('is never due for what is read-only or will be erased', async () => {
      for (const [name, mode] of [
        ['erasing', 'write'],
        ['looking', 'read-only'],
      ] as const) {
        const { desktopId } = await opened(name);
        await profiles.report(desktopId, { ...ready, mode, volumeId: await volumeOf() });
      }
      await rows('UPDATE session_profiles SET next_save_at = now()');
      expect(await profiles.dueForVersion('host-1')).toEqual([]);
    });
  });

  describe('housekeeping', () => {
    it('finds desktops whose job was lost, until they have the profile', async () => {
      const { desktopId } = await opened();
      expect(await profiles.desktopsOutOfStep('host-1', 60)).toEqual([]);
      expect(await profiles.desktopsOutOfStep('host-1', 0)).toEqual([desktopId]);
      expect(await profiles.desktopsOutOfStep('host-2', 0)).toEqual([]);
      await profiles.report(desktopId, ready);
      expect(await profiles.desktopsOutOfStep('host-1', 0)).toEqual([]);
    });

    it('says that nothing is kept of a profile that was deleted while it was open', async () => {
      const { session, desktopId } = await opened();
      await profiles.report(desktopId, ready);
      await profiles.loseVolumes([desktopId]);
      const profile = { state: 'failed', notice: 'not-kept', reason: 'no-key' };
      expect(await view(session)).toMatchObject({ state: 'ready', profile });
    });

    it('forgets desktops that are gone, and only these', async () => {
      const kept = await opened();
      const { session, desktopId } = await opened('second');
      await sessions.logOff(alice, session.id);
      await profiles.sweep();
      expect(await profiles.wanted(desktopId)).toBeDefined();
      await rows(`UPDATE desktops SET state = 'deleted' WHERE id = $1`, [desktopId]);
      expect(await profiles.wanted(desktopId)).toBeUndefined();
      await profiles.sweep();
      const left = await rows('SELECT desktop_id AS id FROM session_profiles');
      expect(left).toEqual([{ id: kept.desktopId }]);
    });
  });
});
