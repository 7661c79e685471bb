import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AuditLog } from '#libs/audit';
import { DesktopQueries } from '#libs/desktops';
import { ProfileWorld } from '../../test/profile-world.js';
import { SessionExpiry } from '../session-expiry.js';
import { SessionQueries } from '../session-queries.js';

const ready = { state: 'ready' } as const;

describe('profiles that roam and are saved', () => {
  let at: ProfileWorld;

  beforeAll(async () => {
    at = await ProfileWorld.start();
  });
  beforeEach(() => at.reset());
  afterAll(async () => {
    await at?.destroy();
  });

  describe('roaming', () => {
    it('ends the session elsewhere, tells its browser why, and goes on when the lease is free', async () => {
      const first = await at.opened();
      const volumeId = await at.volumeOf();
      await at.profiles.report(first.desktopId, { ...ready, volumeId });
      await at.hold(volumeId, first.desktopId);
      const second = await at.opened('second', 'host-2');
      at.told.length = 0;
      expect(await at.profiles.askToRoam(volumeId, second.desktopId)).toBe('wait');
      expect(await at.view(first.session)).toMatchObject({ state: 'ended', endReason: 'roamed' });
      expect(at.told).toEqual([`${first.session.id} ended`, `${second.session.id} preparing`]);
      expect(await at.profiles.wanted(first.desktopId)).toMatchObject({ versionReason: 'roamed', outcome: 'keep' });
      expect(await at.view(second.session)).toMatchObject({ profile: { state: 'waiting', notice: 'in-use' } });
      expect(await at.profiles.waitingFor(volumeId)).toEqual([{ desktopId: second.desktopId, host: 'host-2' }]);
      const { entries } = await at.app.get(AuditLog).list({ action: 'session-roamed', limit: 1 });
      expect(entries[0]).toMatchObject({ actor: at.alice.username, subject: `session:${first.session.id}` });

      // Nothing more is ended while the lease is on its way back.
      expect(await at.profiles.askToRoam(volumeId, second.desktopId)).toBe('wait');
      await at.hold(volumeId, null);
      expect(await at.profiles.askToRoam(volumeId, second.desktopId)).toBe('free');
      await at.profiles.report(second.desktopId, { state: 'opening', volumeId });
      expect((await at.view(second.session)).profile?.notice).toBeNull();
      expect(await at.profiles.waitingFor(volumeId)).toEqual([]);
    });

    it('lets the desktop that the person came to last win, whoever asks', async () => {
      const first = await at.opened();
      const second = await at.opened('second');
      const volumeId = await at.volumeOf();
      await at.hold(volumeId, second.desktopId);
      expect(await at.profiles.askToRoam(volumeId, first.desktopId)).toBe('gone');
      expect(await at.view(first.session)).toMatchObject({ state: 'ended', endReason: 'roamed' });
      expect((await at.view(second.session)).state).toBe('preparing');
    });

    it('says when the host of the other desktop does not answer, and takes from one that IT has fenced', async () => {
      const first = await at.opened('first', 'host-2');
      const volumeId = await at.volumeOf();
      await at.hold(volumeId, first.desktopId);
      await at.silence('host-2');
      const second = await at.opened('second');
      expect(await at.profiles.askToRoam(volumeId, second.desktopId)).toBe('wait');
      expect(await at.view(second.session)).toMatchObject({ state: 'preparing', profile: { notice: 'host-silent' } });
      await at.app.get(SessionExpiry).failStuck();
      expect((await at.view(second.session)).state).toBe('preparing');
      await at.rows(`UPDATE hosts SET fenced_at = now() WHERE name = 'host-2'`);
      expect(await at.profiles.askToRoam(volumeId, second.desktopId)).toBe('free');
    });

    it('opens read-only beside another session where the pool says so', async () => {
      const first = await at.opened();
      await at.profiles.report(first.desktopId, ready);
      const volumeId = await at.volumeOf();
      await at.hold(volumeId, first.desktopId);
      const second = await at.opened('looking');
      expect(await at.profiles.askToRoam(volumeId, second.desktopId)).toBe('read-only');
      expect((await at.view(first.session)).state).toBe('ready');
      await at.profiles.report(second.desktopId, { ...ready, mode: 'read-only' });
      const profile = { mode: 'read-only', notice: 'read-only' };
      expect(await at.view(second.session)).toMatchObject({ state: 'ready', profile });
    });

    it("never touches another person's session", async () => {
      const first = await at.opened();
      const volumeId = await at.volumeOf();
      await at.hold(volumeId, first.desktopId);
      const mine = at.alice;
      at.alice = { ...at.alice, username: `mallory-${at.people}` };
      const second = await at.opened('second');
      expect(await at.profiles.askToRoam(volumeId, second.desktopId)).toBe('gone');
      expect((await at.app.get(SessionQueries).view(mine.username, first.session.id)).state).toBe('preparing');
    });
  });

  describe('write-back', () => {
    it('is due when the interval has passed, and again after each version', async () => {
      const { session, desktopId } = await at.opened();
      const volumeId = await at.volumeOf();
      await at.profiles.report(desktopId, { ...ready, volumeId });
      expect(await at.profiles.dueForVersion('host-1')).toEqual([]);
      await at.rows(`UPDATE session_profiles SET next_save_at = now() WHERE desktop_id = $1`, [desktopId]);
      const due = { desktopId, volumeId, reason: 'write-back' };
      expect(await at.profiles.dueForVersion('host-1')).toEqual([due]);
      expect(await at.profiles.dueForVersion('host-2')).toEqual([]);
      await at.profiles.report(desktopId, { ...ready, notice: 'saving' });
      expect((await at.view(session)).profile).toMatchObject({ notice: 'saving', savedAt: null });
      await at.profiles.report(desktopId, { ...ready, save: 'done', usedBytes: 95, totalBytes: 100 });
      expect((await at.view(session)).profile).toMatchObject({ notice: 'nearly-full', savedAt: expect.any(String) });
      expect(await at.profiles.dueForVersion('host-1')).toEqual([]);
    });

    it('is due once when nobody looks any more, and not at once again after a failure', async () => {
      const { session, desktopId } = await at.opened();
      const volumeId = await at.volumeOf();
      await at.profiles.report(desktopId, { ...ready, volumeId });
      await at.profiles.report(desktopId, { ...ready, save: 'done' });
      await at.rows(`UPDATE sessions SET state = 'disconnected', state_changed_at = clock_timestamp() WHERE id = $1`, [
        session.id,
      ]);
      const due = { desktopId, volumeId, reason: 'disconnect' };
      expect(await at.profiles.dueForVersion('host-1')).toEqual([due]);
      await at.profiles.report(desktopId, { ...ready, save: 'failed' });
      expect((await at.view(session)).profile?.notice).toBe('save-failed');
      expect(await at.profiles.dueForVersion('host-1')).toEqual([]);
      await at.rows(`UPDATE session_profiles SET next_save_at = now() WHERE desktop_id = $1`, [desktopId]);
      expect(await at.profiles.dueForVersion('host-1')).toEqual([due]);
      await at.profiles.report(desktopId, { ...ready, save: 'done' });
      expect(await at.profiles.dueForVersion('host-1')).toEqual([]);
    });

    it('is never due for what is read-only or will be erased', async () => {
      for (const [name, mode] of [
        ['erasing', 'write'],
        ['looking', 'read-only'],
      ] as const) {
        const { desktopId } = await at.opened(name);
        await at.profiles.report(desktopId, { ...ready, mode, volumeId: await at.volumeOf() });
      }
      await at.rows('UPDATE session_profiles SET next_save_at = now()');
      expect(await at.profiles.dueForVersion('host-1')).toEqual([]);
    });
  });

  describe('what went wrong', () => {
    const problem = async (desktopId: string) =>
      (await at.app.get(DesktopQueries).view(desktopId))?.profileProblem ?? null;
    const audited = async (desktopId: string) => {
      const { entries } = await at.app.get(AuditLog).list({ action: 'profile-not-saved', limit: 10 });
      return entries.filter(({ details }) => details.desktop === desktopId);
    };

    it('is shown to IT until a save is done, on one line', async () => {
      const { desktopId } = await at.opened();
      await at.profiles.report(desktopId, ready);
      expect(await problem(desktopId)).toBeNull();
      await at.profiles.report(desktopId, { ...ready, save: 'failed', detail: 'no\n\u0000room' });
      expect(await problem(desktopId)).toBe('no room');
      await at.profiles.report(desktopId, { ...ready, usedBytes: 10, totalBytes: 100 });
      expect(await problem(desktopId)).toBe('no room');
      await at.profiles.report(desktopId, { ...ready, save: 'done' });
      expect(await problem(desktopId)).toBeNull();
      expect(await audited(desktopId)).toEqual([]);
    });

    it('at the end is in the audit once, however often it is tried, and forgotten when the profile is given back', async () => {
      const { session, desktopId } = await at.opened();
      await at.profiles.report(desktopId, { ...ready, save: 'failed', detail: 'no room' });
      await at.sessions.logOff(at.alice, session.id);
      for (const detail of ['a part is lost', 'no key']) {
        await at.profiles.report(desktopId, { state: 'closing' });
        await at.profiles.report(desktopId, { state: 'closing', detail });
        expect(await problem(desktopId)).toBe(detail);
      }
      const details = { desktop: desktopId, user: at.alice.username, context: 'work', detail: 'a part is lost' };
      const subject = `session:${session.id}`;
      expect(await audited(desktopId)).toMatchObject([{ actor: 'system', subject, details }]);
      await at.profiles.report(desktopId, { state: 'closed' });
      expect(await problem(desktopId)).toBeNull();
    });
  });

  describe('housekeeping', () => {
    it('finds desktops whose job was lost, until they have the profile', async () => {
      const { desktopId } = await at.opened();
      expect(await at.profiles.desktopsOutOfStep('host-1', 60)).toEqual([]);
      expect(await at.profiles.desktopsOutOfStep('host-1', 0)).toEqual([desktopId]);
      expect(await at.profiles.desktopsOutOfStep('host-2', 0)).toEqual([]);
      await at.profiles.report(desktopId, ready);
      expect(await at.profiles.desktopsOutOfStep('host-1', 0)).toEqual([]);
    });

    it('says that nothing is kept of a profile that was deleted while it was open', async () => {
      const { session, desktopId } = await at.opened();
      await at.profiles.report(desktopId, ready);
      await at.profiles.loseVolumes([desktopId]);
      const profile = { state: 'failed', notice: 'not-kept', reason: 'no-key' };
      expect(await at.view(session)).toMatchObject({ state: 'ready', profile });
    });

    it('forgets desktops that are gone, and only these', async () => {
      const kept = await at.opened();
      const { session, desktopId } = await at.opened('second');
      await at.sessions.logOff(at.alice, session.id);
      await at.profiles.sweep();
      expect(await at.profiles.wanted(desktopId)).toBeDefined();
      await at.rows(`UPDATE desktops SET state = 'deleted' WHERE id = $1`, [desktopId]);
      expect(await at.profiles.wanted(desktopId)).toBeUndefined();
      await at.profiles.sweep();
      const left = await at.rows('SELECT desktop_id AS id FROM session_profiles');
      expect(left).toEqual([{ id: kept.desktopId }]);
    });
  });
});
