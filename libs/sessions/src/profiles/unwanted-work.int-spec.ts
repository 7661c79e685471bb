import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ProfileOutcome, SessionView } from '#libs/contracts';
import { ProfileLeases, ProfileLookups } from '#libs/profiles';
import { ProfileWorld } from '../../test/profile-world.js';
import { ProfileHistory } from './profile-history.js';
import { ProfileLooks } from './profile-looks.js';

/** The pool `second` asks, `erasing` erases, `first` keeps. */
describe('work that is not to be kept', () => {
  let at: ProfileWorld;
  let volumeId: string;

  beforeAll(async () => {
    at = await ProfileWorld.start();
  });
  beforeEach(() => at.reset());
  afterAll(async () => {
    await at?.destroy();
  });

  const leases = () => at.app.get(ProfileLeases, { strict: false });
  const history = () => at.app.get(ProfileHistory);
  const facts = (letter: string) => ({ versionId: letter.repeat(64), isClean: true, sizeBytes: 1, writtenBytes: 1 });

  /** As a provisioner does: from now on the desktop writes. */
  async function bring(desktopId: string): Promise<void> {
    volumeId = await at.volumeOf((await at.profiles.wanted(desktopId))?.context);
    const { lease } = await leases().acquire(volumeId, desktopId);
    if (!lease) throw new Error('another desktop has the profile');
    if (!lease.served) await write(desktopId, '1', 'first');
    const baseNumber = lease.served?.number ?? 1;
    await at.profiles.report(desktopId, { state: 'ready', volumeId, mode: 'write', baseNumber });
  }

  async function write(desktopId: string, letter: string, reason: 'first' | 'write-back' = 'write-back') {
    const [lease] = await leases().leasesOf(desktopId);
    const { number } = await leases().beginVersion(volumeId, lease?.fence ?? 0, reason);
    await leases().commit(volumeId, lease?.fence ?? 0, number, facts(letter));
    return number;
  }

  async function release(desktopId: string): Promise<void> {
    const [lease] = await leases().leasesOf(desktopId);
    await leases().release(volumeId, lease?.fence ?? 0);
  }

  async function gone(desktopId: string): Promise<void> {
    await release(desktopId);
    await at.profiles.report(desktopId, { state: 'closed' });
    await at.rows(`UPDATE desktops SET state = 'deleted' WHERE id = $1`, [desktopId]);
  }

  /** Version 1 is there, then a session that writes 2, restarts, and has no desktop while the pool has no spare. */
  async function restarted(pool = 'second'): Promise<{ session: SessionView; desktopId: string }> {
    const earlier = await at.opened(pool);
    await bring(earlier.desktopId);
    await at.sessions.logOff(at.alice, earlier.session.id);
    await gone(earlier.desktopId);
    const opened = await at.opened(pool);
    await bring(opened.desktopId);
    await write(opened.desktopId, '2');
    await at.sessions.recycle(at.alice, opened.session.id);
    return opened;
  }

  async function nextDesktop(pool = 'second'): Promise<string> {
    const desktopId = await at.spare(pool);
    await at.serve(pool);
    return desktopId;
  }

  const rowsLeft = async ({ id }: SessionView) =>
    (await at.rows('SELECT FROM session_profiles WHERE session_id = $1', [id])).length;
  /** Discards what is to be discarded now. @returns the number of the newest then, and of what nobody is offered any more */
  const discarded = async () => {
    await history().discardUnwanted(volumeId);
    const unwanted = (await leases().versions(volumeId)).filter(({ unwantedAt }) => unwantedAt);
    return [(await leases().newest(volumeId))?.number, unwanted.map(({ number }) => number).sort()];
  };
  /** As the last desktop does that has the lease. */
  async function close(desktopId: string): Promise<void> {
    const [lease] = await leases().leasesOf(desktopId);
    const { unwantedDesktopIds = [] } = (await at.profiles.wanted(desktopId)) ?? {};
    await leases().discard(volumeId, unwantedDesktopIds, lease?.fence);
  }

  describe('goes back', () => {
    it('to what the session began with, whatever became of its first desktop', async () => {
      const { session, desktopId } = await restarted();
      await gone(desktopId);
      const next = await nextDesktop();
      await bring(next);
      await write(next, '3');
      expect(await at.profiles.wanted(next)).toMatchObject({ unwantedDesktopIds: [] });
      await at.sessions.logOff(at.alice, session.id, 'erase');
      await at.profiles.sweep();
      const wanted = await at.profiles.wanted(next);
      expect(wanted).toMatchObject({ outcome: 'erase', baseNumber: 2 });
      expect([...(wanted?.unwantedDesktopIds ?? [])].sort()).toEqual([desktopId, next].sort());
      expect(await leases().numbersInUse(volumeId)).toEqual([1, 2]);
      expect(await discarded()).toEqual([3, []]);
      await gone(next);
      // It was not done by its desktop.
      await at.profiles.sweep();
      expect(await leases().numbersInUse(volumeId)).toEqual([1, 2]);
      expect(await discarded()).toEqual([1, [2, 3]]);
      await at.profiles.sweep();
      expect(await rowsLeft(session)).toBe(0);
      expect(await leases().numbersInUse(volumeId)).toEqual([]);
    });

    it('by the last desktop, and knows of the others until that one is gone', async () => {
      const { session, desktopId } = await restarted();
      await gone(desktopId);
      const next = await nextDesktop();
      await bring(next);
      await write(next, '3');
      await at.sessions.logOff(at.alice, session.id, 'erase');
      await close(next);
      await at.profiles.sweep();
      expect(await rowsLeft(session)).toBe(2);
      expect(await discarded()).toEqual([1, [2, 3]]);
      await gone(next);
      await at.profiles.sweep();
      expect(await rowsLeft(session)).toBe(0);
    });

    it('also where the newest is already what it was', async () => {
      const { session, desktopId } = await restarted();
      await write(desktopId, '1');
      await at.sessions.logOff(at.alice, session.id, 'erase');
      await gone(desktopId);
      expect(await discarded()).toEqual([1, [2, 3]]);
    });

    it('to an empty profile when the session was the first of all', async () => {
      const { session, desktopId } = await at.opened('second');
      await bring(desktopId);
      await write(desktopId, '2');
      await at.sessions.logOff(at.alice, session.id, 'erase');
      await close(desktopId);
      expect(await discarded()).toEqual([1, [2]]);
    });

    it('also by what it wrote before the pool began to ask', async () => {
      const { session, desktopId } = await restarted();
      await at.rows(`UPDATE session_profiles SET policy = policy || '{"atLogOff": "keep"}' WHERE desktop_id = $1`, [
        desktopId,
      ]);
      await gone(desktopId);
      const next = await nextDesktop();
      await bring(next);
      await write(next, '3');
      await at.sessions.logOff(at.alice, session.id, 'erase');
      await close(next);
      expect(await discarded()).toEqual([1, [2, 3]]);
    });

    it("not across another session's work", async () => {
      const { session, desktopId } = await restarted();
      await gone(desktopId);
      const other = await at.opened('first');
      await bring(other.desktopId);
      await write(other.desktopId, '3');
      const next = await nextDesktop();
      expect(await at.profiles.askToRoam(volumeId, next)).toBe('wait');
      await write(other.desktopId, '4');
      await gone(other.desktopId);
      await bring(next);
      await write(next, '5');
      await at.sessions.logOff(at.alice, session.id, 'erase');
      await close(next);
      expect(await discarded()).toEqual([4, [2, 5]]);
    });

    it('not across a restore', async () => {
      const { session, desktopId } = await restarted();
      await write(desktopId, '3');
      await gone(desktopId);
      await leases().commitRestore(volumeId, await leases().beginRestore(volumeId, 2));
      const next = await nextDesktop();
      await bring(next);
      await write(next, '5');
      await at.sessions.logOff(at.alice, session.id, 'erase');
      await close(next);
      expect(await discarded()).toEqual([4, [2, 3, 5]]);
    });

    it('not before what IT is putting back is there', async () => {
      const { session, desktopId } = await restarted();
      await gone(desktopId);
      await at.sessions.logOff(at.alice, session.id, 'erase');
      const begun = await leases().beginRestore(volumeId, 2);
      expect(await discarded()).toEqual([2, []]);
      await leases().commitRestore(volumeId, begun);
      expect(await discarded()).toEqual([3, [2]]);
    });
  });

  describe('of a session whose last desktop could not discard it', () => {
    it.each(['none', 'waiting', 'failed'] as const)('goes all the same: %s', async (last) => {
      const { session, desktopId } = await restarted();
      await gone(desktopId);
      const next = last === 'none' ? null : await nextDesktop();
      if (next && last === 'failed') await at.profiles.report(next, { state: 'failed', reason: 'failed' });
      expect(await discarded()).toEqual([2, []]);
      await at.sessions.logOff(at.alice, session.id, 'erase');
      if (next) await gone(next);
      // Whenever a provisioner comes to it.
      await at.profiles.sweep();
      expect(await discarded()).toEqual([1, [2]]);
      expect(await discarded()).toEqual([1, [2]]);
      await at.profiles.sweep();
      expect(await rowsLeft(session)).toBe(0);
    });

    it('goes without being asked where the pool erases', async () => {
      const { session, desktopId } = await restarted('erasing');
      await gone(desktopId);
      await at.sessions.logOff(at.alice, session.id);
      expect(await discarded()).toEqual([1, [2]]);
    });

    it.each(['keep', undefined] satisfies (ProfileOutcome | undefined)[])('stays when told %s', async (choice) => {
      const { session, desktopId } = await restarted();
      await gone(desktopId);
      await at.sessions.logOff(at.alice, session.id, choice);
      expect(await discarded()).toEqual([2, []]);
      await at.profiles.sweep();
      expect(await rowsLeft(session)).toBe(0);
    });

    it('is not theirs to choose where the pool keeps', async () => {
      const { session, desktopId } = await restarted('first');
      await gone(desktopId);
      const refused = at.sessions.logOff(at.alice, session.id, 'erase');
      await expect(refused).rejects.toMatchObject({ code: 'forbidden' });
      expect((await at.view(session)).state).toBe('preparing');
    });

    it('waits for another session that goes on from it, and keeps what that one made of it', async () => {
      const { session, desktopId } = await restarted();
      await gone(desktopId);
      const other = await at.opened('first');
      await bring(other.desktopId);
      await at.sessions.logOff(at.alice, session.id, 'erase');
      expect(await discarded()).toEqual([2, []]);
      await at.profiles.sweep();
      await write(other.desktopId, '3');
      expect(await discarded()).toEqual([3, [2]]);
      await at.sessions.logOff(at.alice, other.session.id);
      await gone(other.desktopId);
      expect(await discarded()).toEqual([3, [2]]);
      await at.profiles.sweep();
      expect(await rowsLeft(session)).toBe(0);
    });

    it('is not even saved by a desktop that was restarted a moment ago', async () => {
      const { session, desktopId } = await restarted();
      await at.sessions.logOff(at.alice, session.id, 'erase');
      expect(await at.profiles.wanted(desktopId)).toMatchObject({ outcome: 'erase', unwantedDesktopIds: [desktopId] });
      // It may have been told to keep before that.
      await write(desktopId, '3');
      expect(await discarded()).toEqual([3, []]);
      await gone(desktopId);
      expect(await discarded()).toEqual([1, [2, 3]]);
    });
  });

  it('is neither shown nor given to anybody', async () => {
    const { session, desktopId } = await restarted();
    await gone(desktopId);
    const { username } = at.alice;
    const lookup = { path: '', kind: 'folder' } as const;
    const target = { context: 'work', number: 2 };
    const looks = at.app.get(ProfileLooks);
    const { id } = await looks.begin(username, target, lookup, 'ivan');
    await at.sessions.logOff(at.alice, session.id, 'erase');
    await discarded();
    expect((await history().versions(username, 'work')).map(({ number }) => number)).toEqual([1]);
    expect(await history().volumesOf(username)).toMatchObject([{ newest: 1, versions: 1 }]);
    const missing = { code: 'not-found' };
    await expect(history().restore(username, 'work', 2, 'ivan')).rejects.toMatchObject(missing);
    await expect(looks.begin(username, target, lookup, 'ivan')).rejects.toMatchObject(missing);
    await expect(looks.view(username, target, id, 'ivan')).rejects.toMatchObject(missing);
    expect(await at.app.get(ProfileLookups, { strict: false }).pending(id)).toBeNull();
  });
});
