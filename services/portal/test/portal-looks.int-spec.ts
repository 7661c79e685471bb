import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { myApp } from './fake-apps.js';
import { people } from './fake-catalogue.js';
import { versions, volume } from './fake-profiles.js';
import { PortalFixture } from './portal-fixture.js';

const portal = PortalFixture.forThisFile();

/** @param place within the page, e.g. `#/profile/work/9` */
async function open(place = '', ...volumes: ReturnType<typeof volume>[]): Promise<void> {
  portal.fake.profiles.volumes = volumes.length > 0 ? volumes : [volume('work')];
  portal.fake.profiles.versions = versions();
  await portal.page.goto(`${portal.origin}/${place}`);
  await portal.signIn();
}

const hash = (): string => new URL(portal.page.url()).hash;
const shown = (folder: string): Promise<void> => portal.at('folder-shown').getByText(folder, { exact: true }).waitFor();
const status = (words: string): Promise<void> => portal.at('look-status').filter({ hasText: words }).waitFor();
const download = (name: string) => portal.page.getByRole('button', { name: `Download ${name}`, exact: true });
const isFocused = (testId: string) => portal.until(() => portal.focusedTestId(), testId);

describe('a look into an earlier state', () => {
  it('leads from the versions through folders, and all the way back', async () => {
    portal.fake.apps.mine = [myApp('calculator', 'Calculator'), myApp('call-notes', 'Call notes')];
    await open();
    await portal.at('versions-of-work').click();
    await portal.at('version-7').scrollIntoViewIfNeeded();
    await portal.shoot('looks-versions');
    await portal.at('look-9').click();
    await portal.page.getByRole('heading', { level: 1, name: /^Your files of .*2026/ }).waitFor();
    await status('3 folders, 5 files');
    expect(await portal.page.evaluate(() => document.activeElement?.tagName)).toBe('H1');
    await portal.shoot('looks-home');
    await portal.page.getByRole('link', { name: 'Documents' }).click();
    await status('1 folder, 1 file');
    await isFocused('folder-shown');
    await portal.page.keyboard.press('Tab');
    await portal.page.keyboard.press('Enter');
    await shown('Letters, 50% #done?');
    await portal.at('entry-letter 2.odt').waitFor();
    await portal.shoot('looks-folder');
    const { begun } = portal.fake.looks;
    const looked = ['', 'Documents', 'Documents/Letters, 50% #done?'];
    expect(begun).toEqual(looked.map((path) => `/me/profile work/versions/9 folder ${path}`));

    // Back by the browser and by the path; a version never changes, so nothing is asked for again.
    await portal.page.goBack();
    await shown('Documents');
    await portal.at('breadcrumbs').getByRole('link', { name: 'Home' }).click();
    await status('3 folders, 5 files');
    expect(begun.length).toBe(looked.length);
    await portal.at('back-to-versions').click();
    await portal.at('version-9').waitFor();
    await isFocused('versions-of-work');
    await portal.at('versions-of-work').click();
    await portal.at('version-9').waitFor({ state: 'detached' });
  });

  it('goes on where it was when the page is loaded again, and the versions stay open behind it', async () => {
    await open();
    await portal.at('versions-of-work').click();
    await portal.at('look-9').click();
    await portal.page.getByRole('link', { name: 'Documents' }).click();
    await shown('Documents');
    await portal.page.reload();
    await portal.at('entry-report.odt').waitFor();
    await portal.page.goBack();
    await portal.page.goBack();
    await portal.at('version-9').waitFor();
  });

  it('shows names as they are, whatever is in them', async () => {
    await open('#/profile/work/9');
    await portal.at('entries').waitFor();
    const names = await portal.page.locator('.file-name').allTextContents();
    expect(names).toContain('back\\slash & <b>bold.html');
    expect(names).toContain('caf\\xe9 menu.txt');
    expect(await portal.page.locator('.file-name code').allTextContents()).toEqual(['\\xe9']);
    expect(await portal.page.locator('.file-name b').count()).toBe(0);
    expect(names).not.toContain('.bashrc');
    await portal.at('hidden-entries').filter({ hasText: 'Show 2 hidden' }).click();
    await portal.at('entry-.bashrc').filter({ hasText: '4 kB' }).waitFor();
    await portal.page.getByRole('link', { name: '.config' }).click();
    await portal.at('entry-user-dirs.dirs').waitFor();
  });

  it('brings files to the person’s downloads, and shows none of them', async () => {
    portal.fake.looks.files = {
      'back\\\\slash & <b>bold.html': '<script>document.title = "run"</script>',
      'caf\\xe9 menu.txt': 'soup',
    };
    await open('#/profile/work/9');
    for (const [name, saved, content] of [
      ['back\\slash & <b>bold.html', 'back__slash & _b_bold.html', '<script>document.title = "run"</script>'],
      ['caf\\xe9 menu.txt', 'caf_xe9 menu.txt', 'soup'],
    ] as const) {
      const [taken] = await Promise.all([portal.page.waitForEvent('download'), download(name).click()]);
      expect(taken.suggestedFilename()).toBe(saved);
      expect(await readFile(await taken.path(), 'utf8')).toBe(content);
    }
    await portal.at('message').filter({ hasText: '“caf\\xe9 menu.txt” goes to your downloads.' }).waitFor();
    await portal.shoot('looks-downloaded');
    expect(hash()).toBe('#/profile/work/9');
    expect(portal.context.pages().length).toBe(1);
    expect(await portal.page.title()).toBe('Goldleaf');
  });

  it('fetches one file after the other, and says which did not come', async () => {
    portal.fake.looks.files = { 'caf\\xe9 menu.txt': 'soup' };
    await open('#/profile/work/9');
    await portal.at('entries').waitFor();
    portal.fake.looks.isSlow = true;
    await download('caf\\xe9 menu.txt').click();
    await download('הצעה 2026.odt').click();
    await download('הצעה 2026.odt').filter({ hasText: 'Fetching' }).waitFor();
    await portal.shoot('looks-fetching');
    expect(portal.fake.looks.begun.filter((each) => each.includes(' file ')).length).toBe(1);
    const taken = portal.page.waitForEvent('download');
    portal.fake.looks.isSlow = false;
    await taken;
    await portal.at('message').filter({ hasText: '“הצעה 2026.odt” did not come. There is no such file' }).waitFor();
    await portal.shoot('looks-not-come');
    await download('caf\\xe9 menu.txt').filter({ hasText: 'Download' }).waitFor();
  });

  it('says what cannot be taken alone, what is empty and what is more than can be shown', async () => {
    await open('#/profile/work/9');
    const large = portal.page.locator('tr', { hasText: 'recording of the call' });
    await large.filter({ hasText: 'Too large' }).waitFor();
    expect(await large.getByRole('button').count()).toBe(0);
    expect(await portal.at('entry-latest').getByRole('button').count()).toBe(0);
    await portal.page.getByRole('link', { name: 'empty' }).click();
    await status('This folder is empty');
    await portal.shoot('looks-empty');
    await portal.at('breadcrumbs').getByRole('link', { name: 'Home' }).click();
    portal.fake.looks.isComplete = false;
    await portal.page.getByRole('link', { name: 'Downloads' }).click();
    await portal.at('entry-invoice-200.pdf').waitFor();
    expect(await portal.at('entry-invoice-201.pdf').count()).toBe(0);
    await portal.at('not-all').filter({ hasText: 'more than can be listed' }).scrollIntoViewIfNeeded();
    await portal.shoot('looks-large-folder');
    await portal.at('all-entries').click();
    await portal.at('entry-invoice-250.pdf').waitFor();
  });

  it('tells while it takes, and looks again after what may pass', async () => {
    portal.fake.looks.isSlow = true;
    await open('#/profile/work/9');
    await status('Looking inside');
    await portal.shoot('looks-waiting');
    portal.fake.looks.failure = 'forgotten';
    await portal.at('look-problem').filter({ hasText: 'ten minutes' }).waitFor();
    await portal.shoot('looks-expired');
    portal.fake.looks.isSlow = false;
    portal.fake.looks.failure = 'store-unavailable';
    await portal.at('look-again').click();
    await portal.at('look-problem').filter({ hasText: 'cannot be reached just now' }).waitFor();
    await portal.shoot('looks-store-away');
    portal.fake.looks.failure = 'damaged';
    await portal.at('look-again').click();
    await portal.at('look-problem').filter({ hasText: 'damaged' }).waitFor();
    expect(await portal.at('look-again').count()).toBe(0);
    portal.fake.looks.failure = null;
    await portal.page.reload();
    await status('3 folders');
  });

  it('is not offered to those who may not, and tells them so who come by a link', async () => {
    await open('', volume('work', { userMayRestore: false }));
    await portal.at('versions-of-work').click();
    await portal.at('version-9').waitFor();
    expect(await portal.at('look-9').count()).toBe(0);
    portal.fake.looks.isRefused = true;
    await portal.page.goto(`${portal.origin}/#/profile/work/9`);
    await portal.at('look-problem').filter({ hasText: 'not allowed' }).waitFor();
    expect(await portal.at('look-again').count()).toBe(0);
    await portal.shoot('looks-not-allowed');
  });

  it('ends with the sign-in, and the next person begins at the start', async () => {
    await open('#/profile/work/9');
    await portal.at('entries').waitFor();
    portal.fake.revokeSignIns();
    // Whichever call finds out first.
    await portal.page.evaluate(() => location.assign('#/profile/work/9/Documents'));
    await portal.at('username').waitFor();
    await portal.signIn();
    await shown('Documents');
    await portal.at('sign-out').click();
    await portal.at('username').waitFor();
    expect(hash()).toBe('');
    await portal.signIn();
    await portal.at('open-call-center').waitFor();
  });
});

describe('a look of IT into a person’s profile', () => {
  async function openConsole(): Promise<void> {
    const { console, profiles } = portal.fake;
    console.admitted = true;
    console.profiles = people();
    profiles.volumes = [volume('work')];
    profiles.versions = versions();
    await portal.page.goto(`${portal.origin}/console/people/alice`);
    await portal.signIn();
  }

  it('goes the same ways, into damaged ones too, and says that it is noted', async () => {
    await openConsole();
    await portal.at('look-7').click();
    await portal.page.getByRole('heading', { level: 1, name: 'alice: version 7 of “work”' }).waitFor();
    await portal.page.getByText('noted in the audit log, with your name').waitFor();
    await status('3 folders');
    await portal.shoot('console-looks-home');
    await portal.page.getByRole('link', { name: 'Documents' }).click();
    portal.fake.looks.files = { 'Documents/report.odt': 'figures' };
    const [taken] = await Promise.all([portal.page.waitForEvent('download'), download('report.odt').click()]);
    expect(await readFile(await taken.path(), 'utf8')).toBe('figures');
    expect(portal.fake.looks.begun).toEqual([
      '/profiles/alice work/versions/7 folder ',
      '/profiles/alice work/versions/7 folder Documents',
      '/profiles/alice work/versions/7 file Documents/report.odt',
    ]);
    await portal.at('back-to-versions').click();
    await portal.at('restore-9').waitFor();
    await portal.shoot('console-looks-versions');
  });

  it('names what IT can mend', async () => {
    portal.fake.looks.failure = 'no-answer';
    await openConsole();
    await portal.at('look-9').click();
    await portal.at('look-problem').filter({ hasText: 'Is a provisioner running?' }).waitFor();
    await portal.shoot('console-looks-no-answer');
    portal.fake.looks.failure = null;
    await portal.at('look-again').click();
    await status('3 folders');
  });
});
