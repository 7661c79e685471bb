import { describe, expect, it } from '@jest/globals';
import { catalogue, goldenImages, people } from './fake-catalogue.js';
import { PortalFixture } from './portal-fixture.js';

const portal = PortalFixture.forThisFile();

async function openConsole(path = ''): Promise<void> {
  const { console } = portal.fake;
  console.admitted = true;
  console.apps = catalogue();
  console.profiles = people();
  console.images = goldenImages();
  await portal.page.goto(`${portal.origin}/console${path}`);
  await portal.signIn();
}

const words = (testId: string): Promise<string | null> => portal.at(testId).textContent();

describe('the console of IT', () => {
  it('is found from the start page by those who may use it, and by nobody else', async () => {
    portal.fake.console.admitted = true;
    await portal.page.goto(portal.origin);
    await portal.signIn();
    await portal.at('to-console').click();
    await portal.at('no-apps').filter({ hasText: 'goldleaf app build' }).waitFor();
    await portal.shoot('console-empty');
    portal.fake.console.admitted = false;
    await portal.page.goto(portal.origin);
    await portal.at('pool-call-center').waitFor();
    expect(await portal.at('to-console').count()).toBe(0);
  });

  it('says plainly that it is not for others, and shows them nothing', async () => {
    await portal.page.goto(`${portal.origin}/console`);
    await portal.signIn();
    await portal.at('not-for-you').filter({ hasText: 'for the IT department' }).waitFor();
    expect(await portal.page.locator('nav').count()).toBe(0);
    await portal.shoot('console-not-for-you');
  });

  it('is not part of what everybody loads', async () => {
    const scripts: Promise<string>[] = [];
    portal.page.on('response', (response) => {
      if (response.request().resourceType() === 'script') scripts.push(response.text());
    });
    const onlyThere = 'This page is for the IT department';
    const loaded = async (): Promise<boolean> => (await Promise.all(scripts)).some((text) => text.includes(onlyThere));
    await portal.page.goto(portal.origin);
    await portal.signIn();
    await portal.at('pool-call-center').waitFor();
    expect(await loaded()).toBe(false);
    await portal.page.goto(`${portal.origin}/console`);
    await portal.at('not-for-you').waitFor();
    expect(await loaded()).toBe(true);
  });

  it('lists the applications, with what people get and how it goes', async () => {
    await openConsole();
    await portal.at('apps-table').waitFor();
    expect(await words('app-gnumeric')).toContain('1.12.57-1 Pilot');
    expect(await words('app-calculator')).toContain('back-office may add it');
    expect(await words('app-call-notes')).toContain('3 could not get it');
    await portal.shoot('console-apps');
    await portal.at('app-link-gnumeric').click();
    await portal.at('versions-table').waitFor();
    expect(new URL(portal.page.url()).pathname).toBe('/console/apps/gnumeric');
    expect(await words('assignment-call-center')).toContain('Nothing to give');
    expect(await words('version-3')).toContain('19.3 MB');
    await portal.shoot('console-app');
    await portal.page.reload();
    await portal.at('versions-table').waitFor();
    // At 1024 pixels nothing has to be scrolled sideways.
    const hidden = await portal.page
      .locator('.table-card')
      .evaluateAll((cards) => cards.map((card) => card.scrollWidth - card.clientWidth));
    expect(hidden).toEqual([0, 0]);
    await portal.page.goBack();
    await portal.at('apps-table').waitFor();
    await portal.at('app-link-call-notes').click();
    await portal.at('version-2').filter({ hasText: 'Chunk 3 is not what was signed.' }).waitFor();
    await portal.shoot('console-damaged');
  });

  it('assigns an application to a role', async () => {
    await openConsole('/apps/gnumeric');
    await portal.at('assign').click();
    await portal.at('assign-dialog').waitFor();
    await portal.until(() => portal.focusedTestId(), 'assign-role');
    await portal.at('assign-role').fill('human resources/a');
    await portal.at('kind-allowed').check();
    await portal.at('mode-on-demand').check();
    await portal.at('assign-version').selectOption('3');
    await portal.at('assign-now').check();
    await portal.shoot('console-assign');
    await portal.at('modal-action').click();
    await portal.at('message').filter({ hasText: 'Gnumeric is assigned to human resources/a.' }).waitFor();
    await portal.page.locator('th', { hasText: 'human resources/a' }).waitFor();
    expect(portal.fake.console.changes).toEqual([
      {
        route: 'PUT /apps/gnumeric/assignments/human%20resources%2Fa',
        body: { kind: 'allowed', version: 3, ring: 'broad', mode: 'on-demand', now: true },
      },
    ]);
  });

  it('changes an assignment beginning with what it is, and shows why the broker refused', async () => {
    await openConsole('/apps/gnumeric');
    await portal.at('change-call-center').click();
    expect(await portal.at('kind-allowed').isChecked()).toBe(true);
    expect(await portal.at('assign-version').inputValue()).toBe('2');
    await portal.at('assign-version').selectOption('pilot');
    portal.fake.console.refusal = { status: 409, code: 'conflict', detail: 'Version 3 was just withdrawn.' };
    await portal.at('modal-action').click();
    await portal.at('refusal').filter({ hasText: 'Version 3 was just withdrawn.' }).waitFor();
    portal.fake.console.refusal = null;
    await portal.at('modal-action').click();
    await portal.at('assign-dialog').waitFor({ state: 'detached' });
    expect(portal.fake.console.changes.map((change) => change.body)).toEqual([
      { kind: 'allowed', version: null, ring: 'pilot', mode: 'on-demand', now: false },
    ]);
  });

  it('withdraws from a role after a question that Escape answers with no', async () => {
    await openConsole('/apps/gnumeric');
    await portal.at('withdraw-back-office').click();
    await portal.at('withdraw-dialog').waitFor();
    await portal.page.keyboard.press('Escape');
    await portal.at('withdraw-dialog').waitFor({ state: 'detached' });
    expect(portal.fake.console.changes).toEqual([]);
    await portal.at('withdraw-back-office').click();
    await portal.at('withdraw-now').check();
    await portal.shoot('console-withdraw');
    await portal.at('modal-action').click();
    await portal.at('assignment-back-office').waitFor({ state: 'detached' });
    expect(portal.fake.console.changes.map((change) => change.route)).toEqual([
      'DELETE /apps/gnumeric/assignments/back-office?now=true',
    ]);
  });

  it('releases, withdraws and publishes versions', async () => {
    await openConsole('/apps/gnumeric');
    await portal.at('promote-3').click();
    await portal.at('message').filter({ hasText: '1.12.57-1 is released to everyone' }).waitFor();
    await portal.at('promote-3').waitFor({ state: 'detached' });
    await portal.at('withdraw-version-1').click();
    await portal.at('withdraw-version-dialog').filter({ hasText: 'people get 1.12.57-1 instead' }).waitFor();
    await portal.at('modal-action').click();
    await portal.at('publish-1').click();
    await portal.at('withdraw-version-1').waitFor();
    expect(portal.fake.console.changes.map((change) => change.body)).toEqual([
      { ring: 'broad' },
      { state: 'withdrawn' },
      { state: 'published' },
    ]);
  });

  it('finds people by name, role and application', async () => {
    await openConsole('/people');
    await portal.at('people-table').waitFor();
    expect(await words('person-bob')).toContain('own choice');
    await portal.shoot('console-people');
    await portal.at('people-filter').fill('call-center gnumeric');
    await portal.at('people-count').filter({ hasText: '1 of 4 people' }).waitFor();
    expect(await portal.at('person-bob').count()).toBe(1);
  });

  it('publishes golden images and rolls them back, after a question', async () => {
    await openConsole('/images');
    await portal.at('image-demo-desktop').waitFor();
    await portal.shoot('console-images');
    await portal.at('publish-image-demo-desktop-4').click();
    await portal.at('modal-action').click();
    await portal.at('message').filter({ hasText: 'is being published' }).waitFor();
    await portal.at('rollback-demo-desktop-2').click();
    await portal.at('image-dialog').filter({ hasText: 'New desktops start from version 1 again' }).waitFor();
    await portal.at('modal-action').click();
    await portal.at('message').filter({ hasText: 'is being rolled back' }).waitFor();
    expect(portal.fake.console.changes.map((change) => change.route)).toEqual([
      'POST /images/demo-desktop/versions/4/publish',
      'POST /images/demo-desktop/versions/2/rollback',
    ]);
  });

  it('keeps what it showed while the broker does not answer, and says so', async () => {
    await openConsole();
    await portal.at('apps-table').waitFor();
    await portal.context.setOffline(true);
    await portal.at('console-problem').filter({ hasText: 'may be out of date' }).waitFor({ timeout: 20_000 });
    expect(await portal.at('apps-table').count()).toBe(1);
  });
});
