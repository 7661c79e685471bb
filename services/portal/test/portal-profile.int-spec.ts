import { describe, expect, it } from '@jest/globals';
import { sessionProfile } from './fake-session-profile.js';
import { PortalFixture } from './portal-fixture.js';

const portal = PortalFixture.forThisFile();
const text = () => portal.page.locator('.progress-text');

async function openWithProfile(more: Parameters<typeof sessionProfile>[0] = {}): Promise<void> {
  portal.fake.sessions.profile = sessionProfile(more);
  await portal.openDesktop();
}

describe('the profile of a session', () => {
  it('is a phase of the logon, and says where it is waited for', async () => {
    portal.fake.sessions.profile = sessionProfile();
    portal.fake.sessions.holdAt = 'profile';
    await portal.page.goto(portal.origin);
    await portal.signIn();
    await portal.at('open-call-center').click();
    const row = portal.page.locator('[data-phase=profile][data-status=running]');
    await row.filter({ hasText: 'Fetching your profile' }).waitFor();
    expect(await portal.page.locator('[data-phase=prepare]').getAttribute('data-status')).toBe('done');
    await portal.shoot('profile-phase');
    portal.fake.sessions.changeProfile({ notice: 'in-use' });
    await text().filter({ hasText: 'fetched from the other desktop' }).waitFor();
    await portal.shoot('profile-in-use');
    portal.fake.sessions.changeProfile({ notice: 'host-silent' });
    await text().filter({ hasText: 'a desktop that does not answer' }).waitFor();
    await portal.shoot('profile-host-silent');
    portal.fake.sessions.release();
    await portal.connected();
  });

  it('is no phase where the pool has none', async () => {
    portal.fake.sessions.holdAt = 'prepare';
    await portal.page.goto(portal.origin);
    await portal.signIn();
    await portal.at('open-call-center').click();
    await portal.page.locator('[data-phase=prepare][data-status=running]').waitFor();
    expect(await portal.page.locator('[data-phase=profile]').count()).toBe(0);
  });

  it('warns for as long as nothing is kept, also after the words were read', async () => {
    await openWithProfile({ state: 'failed', notice: 'not-kept', reason: 'store-unavailable', savedAt: null });
    await portal.at('profile-notice').filter({ hasText: 'Nothing that you do on this desktop is kept.' }).waitFor();
    await portal.at('profile-notice').filter({ hasText: 'cannot be reached' }).waitFor();
    await portal.shoot('profile-not-kept');
    await portal.at('dismiss-profile-notice').click();
    await portal.at('profile-notice').waitFor({ state: 'detached' });
    expect(await portal.at('bar-handle').textContent()).toBe('Nothing is kept here');
    await portal.page.keyboard.press('a');
    await portal.until(() => portal.fake.received.keys.at(-1), { keysym: 0x61, pressed: false });
    await portal.shoot('profile-not-kept-handle');
    await portal.openBar();
    await portal.at('bar-profile').filter({ hasText: 'Nothing is kept here' }).waitFor();
    await portal.shoot('profile-not-kept-bar');
    await portal.page.reload();
    await portal.at('profile-notice').waitFor();
  });

  it.each([
    [{ notice: 'read-only', mode: 'read-only' }, 'in use on another desktop', 'Changes are not kept'],
    [{ notice: 'older-version' }, 'an earlier state of your files', ''],
    [{ notice: 'nearly-full' }, '3.2 GB of 10.7 GB are used', ''],
    [{ notice: 'full' }, 'Nothing more can be saved', 'Your disk is full'],
    [{ notice: 'save-failed', savedAt: null }, 'It is tried again by itself', 'Not saved yet'],
  ] as const)('tells %j as it happens, and no more when it is over', async (more, words, standing) => {
    await openWithProfile();
    portal.fake.sessions.changeProfile(more);
    await portal.at('profile-notice').filter({ hasText: words }).waitFor();
    expect(await portal.at('bar-handle').textContent()).toBe(standing);
    await portal.shoot(`profile-${more.notice}`);
    portal.fake.sessions.changeProfile({ notice: null, mode: 'write' });
    await portal.at('profile-notice').waitFor({ state: 'detached' });
    expect(await portal.at('bar-handle').textContent()).toBe('');
  });

  it('says in the bar as of when the work is saved, and what a restart leaves', async () => {
    await openWithProfile();
    await portal.openBar();
    await portal
      .at('bar-profile')
      .filter({ hasText: /^Your work is saved as of \d/ })
      .waitFor();
    await portal.shoot('profile-bar');
    portal.fake.sessions.changeProfile({ notice: 'saving' });
    await portal.at('bar-profile').filter({ hasText: 'Saving your work' }).waitFor();
    await portal.openBar('restart-clean');
    await portal.page.locator('#restart-text', { hasText: 'saved and come back' }).waitFor();
  });
});

describe('log-off', () => {
  it.each([
    ['keep', '?profile=keep', 'You are logged off from Call centre.'],
    ['erase', '?profile=erase', 'What you changed was not kept.'],
  ] as const)('asks where the pool does, and does as told: %s', async (choice, query, words) => {
    await openWithProfile({ atLogOff: 'ask' });
    await portal.openBar();
    await portal.at('log-off').click();
    await portal.at('log-off-confirm').filter({ hasText: 'Keep what you changed?' }).waitFor();
    await portal.until(() => portal.focusedTestId(), 'log-off-keep');
    if (choice === 'keep') await portal.shoot('profile-log-off');
    await portal.at('log-off-cancel').click();
    await portal.at('log-off-confirm').waitFor({ state: 'detached' });
    expect(portal.fake.logOffs).toEqual([]);
    await portal.at('log-off').click();
    await portal.at(`log-off-${choice}`).click();
    await portal.at('message').filter({ hasText: words }).waitFor();
    expect(portal.fake.logOffs).toEqual([query]);
  });

  it.each([{}, { atLogOff: 'ask', mode: 'read-only' }, { atLogOff: 'ask', state: 'failed' }] as const)(
    'asks nothing where there is nothing to choose: %j',
    async (more) => {
      await openWithProfile(more);
      await portal.openBar();
      await portal.at('log-off').click();
      await portal.at('message').filter({ hasText: 'logged off from Call centre' }).waitFor();
      expect(portal.fake.logOffs).toEqual(['']);
    },
  );

  it('says so, and goes on saying it, when the person signed in elsewhere', async () => {
    await openWithProfile();
    portal.fake.endSessions('ended', null, 'roamed');
    await portal
      .at('message')
      .filter({ hasText: 'You signed in elsewhere; your work was saved and is there.' })
      .waitFor();
    await portal.shoot('roamed');
    expect(await portal.page.locator('.notice-lasting').count()).toBe(1);
  });
});
