import { describe, expect, it } from '@jest/globals';
import { callCenter } from './fake-alice.js';
import { versions, volume } from './fake-profiles.js';
import { PortalFixture } from './portal-fixture.js';

const portal = PortalFixture.forThisFile();

async function open(...volumes: ReturnType<typeof volume>[]): Promise<void> {
  portal.fake.profiles.volumes = volumes;
  portal.fake.profiles.versions = versions();
  await portal.page.goto(portal.origin);
  await portal.signIn();
}

describe('My profile on the start page', () => {
  it('lists the earlier states, each with when, why and how much', async () => {
    await open(volume('work'));
    await portal.at('my-profile').filter({ hasText: 'Room for 10.7 GB' }).waitFor();
    expect(await portal.page.locator('.lead').textContent()).toContain('your own files and settings');
    await portal.shoot('my-profile');
    await portal.at('versions-of-work').click();
    await portal.at('version-12').filter({ hasText: 'As it is now' }).waitFor();
    expect(await portal.at('version-10').textContent()).toContain('While you worked · 196 kB changed');
    expect(await portal.at('version-7').textContent()).toContain('Damaged');
    expect(await portal.at('go-back-7').count()).toBe(0);
    expect(await portal.at('version-8').textContent()).toMatch(/Went back to .*2026/);
    expect(await portal.at('version-1').count()).toBe(0);
    await portal.shoot('my-profile-versions');
    await portal.at('all-versions').click();
    await portal.at('version-1').filter({ hasText: 'When it was made' }).waitFor();
  });

  it('goes back to one after a question, and says when it is done', async () => {
    await open(volume('work'));
    await portal.at('versions-of-work').click();
    await portal.at('go-back-9').click();
    await portal.at('go-back-dialog').filter({ hasText: 'How things are now stays' }).waitFor();
    await portal.shoot('my-profile-go-back');
    await portal.at('modal-action').click();
    await portal.at('profile-work').filter({ hasText: 'Going back' }).waitFor();
    expect(portal.fake.profiles.changes).toEqual(['POST /me/profile/volumes/work/versions/9/restore']);
    expect(await portal.at('go-back-11').isDisabled()).toBe(true);
    portal.fake.profiles.finishRestore();
    await portal.at('message').filter({ hasText: 'as they were then' }).waitFor();
    await portal.at('version-13').filter({ hasText: 'As it is now' }).waitFor();
  });

  it('says that it was not done when a desktop came first', async () => {
    await open(volume('work'));
    await portal.at('versions-of-work').click();
    await portal.at('go-back-9').click();
    await portal.at('modal-action').click();
    await portal.at('profile-work').filter({ hasText: 'Going back' }).waitFor();
    portal.fake.profiles.finishRestore({ reason: 'log-off' });
    await portal.at('message').filter({ hasText: 'were not put back' }).waitFor();
  });

  it('says why not: in use, refused, or not the person’s to do', async () => {
    await open(volume('work', { heldBy: { desktopId: '00000000-0000-4000-8000-000000000001', host: 'host-a' } }));
    await portal.at('versions-of-work').click();
    await portal.at('profile-work').filter({ hasText: 'log off from your desktop first' }).waitFor();
    expect(await portal.at('go-back-9').isDisabled()).toBe(true);
    portal.fake.profiles.volumes = [volume('work', { userMayRestore: false }), volume('personal')];
    await portal.page.reload(); // the list stays open
    await portal.at('profile-work').filter({ hasText: 'ask your IT department' }).waitFor();
    expect(await portal.at('go-back-9').count()).toBe(0);
    await portal.at('versions-of-personal').click();
    portal.fake.profiles.refusal = { status: 409, code: 'conflict', detail: 'A desktop writes it just now.' };
    await portal.at('go-back-9').click();
    await portal.at('modal-action').click();
    await portal.at('refusal').filter({ hasText: 'A desktop writes it just now.' }).waitFor();
    await portal.shoot('my-profile-two');
  });

  it('shows what is being saved after a log-off, and that it is, as soon as it is', async () => {
    const heldBy = { desktopId: '00000000-0000-4000-8000-000000000001', host: 'host-a' };
    await open(volume('work', { heldBy, newest: 11 }));
    await portal.at('profile-work').filter({ hasText: 'What you did is being saved' }).waitFor();
    await portal.shoot('my-profile-saving');
    portal.fake.profiles.volumes = [volume('work')];
    await portal.at('profile-work').filter({ hasText: 'Saved:' }).waitFor();
  });

  it('is not there for people without one', async () => {
    portal.fake.pools = callCenter().map((pool) => ({ ...pool, hasProfile: false }));
    await open(volume('work', { newest: null, savedAt: null, versions: 0 }));
    await portal.until(() => portal.fake.calls.includes('GET /me/profile/volumes'), true);
    await portal.at('open-call-center').waitFor();
    expect(await portal.at('my-profile').count()).toBe(0);
    expect(await portal.page.locator('.lead').textContent()).toContain('discards what was left on it');
  });
});
