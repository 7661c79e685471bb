import { describe, expect, it } from '@jest/globals';
import { people } from './fake-catalogue.js';
import { versions, volume } from './fake-profiles.js';
import { PortalFixture } from './portal-fixture.js';

const portal = PortalFixture.forThisFile();

async function openConsole(path: string): Promise<void> {
  const { console, profiles } = portal.fake;
  console.admitted = true;
  console.profiles = people();
  profiles.volumes = [volume('work'), volume('personal', { newest: null, savedAt: null, versions: 0, storedBytes: 0 })];
  profiles.versions = versions();
  profiles.limits = [{ role: 'call-center', sizeMiB: 10_240 }];
  await portal.page.goto(`${portal.origin}/console${path}`);
  await portal.signIn();
}

const sideways = () =>
  portal.page.locator('.table-card').evaluateAll((cards) => cards.map((card) => card.scrollWidth - card.clientWidth));

describe('people in the console', () => {
  it('have their profiles with all versions on a page of their own', async () => {
    await openConsole('/people');
    await portal.at('person-link-alice').waitFor();
    await portal.shoot('console-people');
    await portal.at('person-link-alice').click();
    await portal.at('versions-work').waitFor();
    expect(new URL(portal.page.url()).pathname).toBe('/console/people/alice');
    expect(await portal.at('facts-work').textContent()).toContain('412 MB in 11 versions');
    expect(await portal.at('version-7').first().textContent()).toContain('chunk 4 of 160 is missing');
    expect(await portal.at('version-8').first().textContent()).toContain('Restored from version 5');
    expect(await sideways()).toEqual([0, 0]);
    await portal.shoot('console-person');
    await portal.page.goto(`${portal.origin}/console/people/ivan`);
    await portal.page.getByText('No profile yet').waitFor();
  });

  it('get an older version back', async () => {
    await openConsole('/people/alice');
    await portal.at('restore-9').first().click();
    await portal.at('restore-dialog').filter({ hasText: 'all the others stay' }).waitFor();
    await portal.shoot('console-restore');
    await portal.at('modal-action').click();
    await portal.at('message').filter({ hasText: 'Version 9 is being restored for alice' }).waitFor();
    expect(portal.fake.profiles.changes).toEqual(['POST /profiles/alice/volumes/work/versions/9/restore']);
  });

  it('keep what a desktop writes', async () => {
    await openConsole('/people/alice');
    await portal.at('versions-work').waitFor();
    portal.fake.profiles.volumes = [
      volume('work', { heldBy: { desktopId: '00000000-0000-4000-8000-000000000001', host: 'host-a' } }),
    ];
    await portal.page.reload();
    await portal.at('facts-work').filter({ hasText: 'on host-a' }).waitFor();
    expect(await portal.at('restore-9').isDisabled()).toBe(true);
  });

  it('lose a profile only after their name was typed', async () => {
    await openConsole('/people/alice');
    await portal.at('delete-work').click();
    await portal.at('delete-dialog').filter({ hasText: 'goldleaf store replicate' }).waitFor();
    expect(await portal.at('modal-action').isDisabled()).toBe(true);
    await portal.at('delete-typed').fill('alic');
    await portal.at('delete-typed').press('Enter');
    expect(await portal.at('modal-action').isDisabled()).toBe(true);
    expect(portal.fake.profiles.changes).toEqual([]);
    await portal.at('delete-typed').fill('alice');
    await portal.shoot('console-delete');
    await portal.at('modal-action').click();
    await portal.at('message').filter({ hasText: 'The profile “work” of alice is deleted.' }).waitFor();
    await portal.at('versions-work').waitFor({ state: 'detached' });
    expect(portal.fake.profiles.changes).toEqual(['DELETE work']);
  });
});

describe('sizes of profiles in the console', () => {
  it('are set, changed and taken away by role', async () => {
    await openConsole('/people');
    await portal.at('to-limits').click();
    await portal.at('limit-call-center').filter({ hasText: '10 GiB' }).waitFor();
    await portal.shoot('console-limits');
    await portal.at('set-limit').click();
    await portal.at('limit-role').fill('human resources/a');
    await portal.at('limit-size').fill('0.5');
    await portal.shoot('console-limit');
    await portal.at('modal-action').click();
    await portal.at('message').filter({ hasText: 'may be 512 MiB' }).waitFor();
    await portal.at('change-limit-call-center').click();
    expect(await portal.at('limit-size').inputValue()).toBe('10');
    await portal.at('limit-size').fill('20');
    await portal.at('modal-action').click();
    await portal.at('limit-call-center').filter({ hasText: '20 GiB' }).waitFor();
    await portal.at('remove-limit-call-center').click();
    await portal.at('modal-action').click();
    await portal.at('limit-call-center').waitFor({ state: 'detached' });
    expect(portal.fake.profiles.changes).toEqual([
      'PUT human resources/a 512',
      'PUT call-center 20480',
      'DELETE call-center default',
    ]);
  });
});
