import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AuditLog } from '#libs/audit';
import { PoolService } from '#libs/desktops';
import { ProfileWorld, work } from '../../test/profile-world.js';
import { DesktopApps } from '../apps/desktop-apps.js';
import { SessionExpiry } from '../session-expiry.js';
import { SessionReplacement } from '../session-replacement.js';

const ready = { state: 'ready' } as const;

describe('profiles of sessions', () => {
  let at: ProfileWorld;

  beforeAll(async () => {
    at = await ProfileWorld.start();
  });
  beforeEach(() => at.reset());
  afterAll(async () => {
    await at?.destroy();
  });

  describe('at the logon', () => {
    it('waits with the desktop until the profile is there', async () => {
      const { session, desktopId } = await at.opened();
      expect(session).toMatchObject({ state: 'preparing', queue: null });
      expect(session.profile).toEqual({
        ...{ context: 'work', state: 'waiting', mode: 'write', notice: null, reason: null },
        ...{ usedBytes: null, totalBytes: null, savedAt: null, atLogOff: 'keep' },
      });
      expect(at.jobs).toContain(`desktop.profile ${desktopId} host-1`);
      expect(session.phases.map(({ name }) => name)).toEqual(['authorize', 'allocate', 'prepare', 'profile']);
      await expect(at.sessions.ticketClaims(at.alice, session.id)).rejects.toMatchObject({ code: 'conflict' });

      expect(await at.profiles.wanted(desktopId)).toEqual({
        ...{ desktopId, host: 'host-1', desktopState: 'assigned', sessionId: session.id },
        ...{ username: at.alice.username, context: 'work', policy: work(), state: 'waiting' },
        ...{
          mode: 'write',
          volumeId: null,
          baseNumber: null,
          unwantedDesktopIds: [],
          outcome: 'keep',
          isGivenUp: false,
          versionReason: 'recycle',
        },
      });
      const volumeId = await at.volumeOf();
      expect(await at.profiles.report(desktopId, { state: 'opening', volumeId, baseNumber: 3 })).toBe(true);
      expect(await at.view(session)).toMatchObject({ state: 'preparing', profile: { state: 'opening' } });
      expect(await at.profiles.wanted(desktopId)).toMatchObject({ volumeId, baseNumber: 3, state: 'opening' });
      expect(await at.profiles.openOn('host-1')).toEqual([]);

      at.told.length = 0;
      expect(await at.profiles.report(desktopId, { ...ready, usedBytes: 10, totalBytes: 100 })).toBe(true);
      const shown = await at.view(session);
      expect(shown).toMatchObject({ state: 'ready', profile: { state: 'ready', usedBytes: 10, totalBytes: 100 } });
      expect(await at.profiles.openOn('host-1')).toEqual([{ desktopId, usedBytes: 10, totalBytes: 100 }]);
      expect(await at.profiles.openOn('host-2')).toEqual([]);
      expect(at.told).toEqual([`${session.id} ready`]);
      expect(shown.phases.slice(3)).toEqual([
        { name: 'profile', startedAt: expect.any(String), durationMs: expect.any(Number) },
        { name: 'connect', startedAt: expect.any(String), durationMs: null },
      ]);
      await at.sessions.ticketClaims(at.alice, session.id);
    });

    it('says before there is a desktop that there will be a profile, and serves the queue as ever', async () => {
      const session = await at.open();
      expect(session).toMatchObject({ state: 'pending', queue: { position: 1 }, profile: { state: 'waiting' } });
      const desktopId = await at.spare();
      await at.serve();
      expect(await at.view(session)).toMatchObject({ state: 'preparing', queue: null, desktop: { id: desktopId } });
    });

    it('costs a pool without at.profiles nothing', async () => {
      const { session, desktopId } = await at.opened('plain');
      expect(session).toMatchObject({ state: 'ready', profile: null });
      expect(at.jobs.filter((job) => job.startsWith('desktop.profile'))).toEqual([]);
      expect(await at.profiles.wanted(desktopId)).toBeUndefined();
      expect(await at.profiles.report(desktopId, ready)).toBe(false);
    });

    it('goes on without the profile when it cannot be had, and says that nothing is kept', async () => {
      const { session, desktopId } = await at.opened();
      await at.profiles.report(desktopId, { state: 'failed', reason: 'damaged', detail: 'bad superblock' });
      const profile = { state: 'failed', reason: 'damaged', notice: 'not-kept' };
      expect(await at.view(session)).toMatchObject({ state: 'ready', profile });
      const { entries } = await at.app.get(AuditLog).list({ action: 'profile-failed', limit: 1 });
      expect(entries[0]).toMatchObject({
        subject: `session:${session.id}`,
        details: { desktop: desktopId, user: at.alice.username, reason: 'damaged', detail: 'bad superblock' },
      });
      expect(await at.profiles.report(desktopId, ready)).toBe(false);
      expect(await at.view(session)).toMatchObject({ profile });
    });

    it('never starts an application before the home is there', async () => {
      const { session, desktopId } = await at.opened();
      const [{ id: appId } = { id: '' }] = await at.rows<{ id: string }>(
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
        [`app-${at.people}`, '0'.repeat(64), session.id],
      );
      const isStartWanted = async () =>
        (await at.app.get(DesktopApps).wantedApps(desktopId))?.wanted.find((each) => each.appId === appId)
          ?.isStartWanted;
      expect(await isStartWanted()).toBe(false);
      at.jobs.length = 0;
      await at.profiles.report(desktopId, ready);
      expect(await isStartWanted()).toBe(true);
      expect(at.jobs).toEqual([`desktop.apps ${desktopId} host-1`]);
    });
  });

  describe('when desktops come and go meanwhile', () => {
    it('brings the profile to the next desktop when the first one dies before it was there', async () => {
      const { session, desktopId } = await at.opened();
      await at.app.get(SessionReplacement).loseDesktop(desktopId, 'machine-lost');
      const lost = { state: 'preparing', desktop: null, queue: { position: 1 }, preparingReason: 'machine-lost' };
      expect(await at.view(session)).toMatchObject(lost);
      expect(await at.profiles.report(desktopId, ready)).toBe(false);
      expect(await at.view(session)).toMatchObject(lost);

      const next = await at.spare();
      await at.serve();
      expect(await at.view(session)).toMatchObject({ state: 'preparing', desktop: { id: next }, queue: null });
      expect(at.jobs).toContain(`desktop.profile ${next} host-1`);
      // Late news of the first desktop does not make the session ready with the second.
      expect(await at.profiles.report(desktopId, { state: 'failed', reason: 'failed' })).toBe(false);
      expect((await at.view(session)).state).toBe('preparing');
      expect(await at.profiles.report(desktopId, { state: 'closed' })).toBe(true);
      await at.profiles.report(next, ready);
      expect((await at.view(session)).state).toBe('ready');
    });

    it('comes to the clean desktop after a restart', async () => {
      const { session, desktopId } = await at.opened();
      await at.profiles.report(desktopId, ready);
      const next = await at.spare();
      const again = await at.sessions.recycle(at.alice, session.id);
      expect(again).toMatchObject({ state: 'preparing', desktop: { id: next }, profile: { state: 'waiting' } });
      expect(await at.profiles.wanted(desktopId)).toMatchObject({ outcome: 'keep' });
      expect(await at.profiles.wanted(desktopId)).toMatchObject({
        desktopState: 'recycling',
        versionReason: 'recycle',
      });
      await at.profiles.report(next, ready);
      expect(await at.view(session)).toMatchObject({ state: 'ready' });
    });

    it('does not bring a session back that has ended', async () => {
      const { session, desktopId } = await at.opened();
      const ended = await at.sessions.logOff(at.alice, session.id);
      expect(ended).toMatchObject({ state: 'ended', endReason: 'log-off', profile: null });
      expect(await at.profiles.report(desktopId, ready)).toBe(false);
      expect((await at.view(session)).state).toBe('ended');
    });

    it('is not failed for waiting long', async () => {
      const { session } = await at.opened();
      await at.rows(
        `UPDATE sessions SET created_at = now() - interval '2 days',
                         state_changed_at = now() - interval '2 days' WHERE id = $1`,
        [session.id],
      );
      await at.app.get(SessionExpiry).failStuck();
      await at.app.get(SessionExpiry).endAbandoned();
      expect((await at.view(session)).state).toBe('preparing');
    });

    it('keeps to what the pool said when the desktop was given', async () => {
      const { desktopId } = await at.opened();
      await at.app.get(PoolService).update('first', { profile: work({ writeBackMinutes: 60 }) }, 'ivan');
      expect((await at.profiles.wanted(desktopId))?.policy.writeBackMinutes).toBe(5);
      expect(await at.app.get(PoolService).update('first', { profile: null }, 'ivan')).toMatchObject({ profile: null });
      const other = { ...at.alice, username: `other-${at.people}` };
      await at.spare();
      expect(await at.sessions.open(other, { pool: 'first' })).toMatchObject({ state: 'ready', profile: null });
      const updated = await at.app.get(PoolService).update('first', { profile: work() }, 'ivan');
      expect(updated.profile).toEqual(work());
    });
  });

  describe('at the end', () => {
    it('erases only where the person was asked and said so', async () => {
      const { session, desktopId } = await at.opened('second');
      expect(session.profile?.atLogOff).toBe('ask');
      await at.sessions.logOff(at.alice, session.id, 'erase');
      expect(await at.profiles.wanted(desktopId)).toMatchObject({ outcome: 'erase' });
      expect(await at.profiles.wanted(desktopId)).toMatchObject({ outcome: 'erase', versionReason: 'log-off' });
      const { entries } = await at.app.get(AuditLog).list({ action: 'log-off', limit: 1 });
      expect(entries[0]?.details).toEqual({ desktop: desktopId, profile: 'erase' });
      const silent = await at.opened('second');
      await at.sessions.logOff(at.alice, silent.session.id);
      expect(await at.profiles.wanted(silent.desktopId)).toMatchObject({ outcome: 'keep' });
    });

    it('refuses a choice that the pool does not leave, and the session goes on', async () => {
      const { session, desktopId } = await at.opened();
      const refused = { code: 'forbidden' };
      await expect(at.sessions.logOff(at.alice, session.id, 'erase')).rejects.toMatchObject(refused);
      expect((await at.view(session)).state).toBe('preparing');
      expect(await at.profiles.wanted(desktopId)).toMatchObject({ outcome: 'keep' });
      await at.sessions.logOff(at.alice, session.id, 'keep');
      expect(await at.profiles.wanted(desktopId)).toMatchObject({ outcome: 'keep' });
    });

    it('erases where the pool does, but not at a restart', async () => {
      const { session, desktopId } = await at.opened('erasing');
      await at.profiles.report(desktopId, ready);
      const next = await at.spare('erasing');
      await at.sessions.recycle(at.alice, session.id);
      expect(await at.profiles.wanted(desktopId)).toMatchObject({ outcome: 'keep' });
      await at.sessions.expire(session.id);
      expect((await at.view(session)).state).toBe('preparing');
      await at.profiles.report(next, ready);
      await at.sessions.expire(session.id);
      expect(await at.view(session)).toMatchObject({ state: 'ended', endReason: 'expired' });
      expect(await at.profiles.wanted(next)).toMatchObject({ outcome: 'erase' });
    });

    it('ignores a choice where there is no profile', async () => {
      const { session } = await at.opened('plain');
      expect((await at.sessions.logOff(at.alice, session.id, 'erase')).state).toBe('ended');
    });
  });
});
