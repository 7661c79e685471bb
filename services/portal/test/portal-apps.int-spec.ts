import { describe, expect, it } from '@jest/globals';
import { myApp, sessionApp } from './fake-apps.js';
import { PortalFixture } from './portal-fixture.js';

const portal = PortalFixture.forThisFile();

const calculator = myApp('calculator', 'Calculator', { description: 'Sums at hand while you talk.' });
const callNotes = myApp('call-notes', 'Call notes', { description: 'One form for every call.', mode: 'on-demand' });
const gnumeric = myApp('gnumeric', 'Gnumeric', { description: 'Spreadsheets.', kind: 'allowed' });

const give = (): void => {
  portal.fake.apps.mine = [calculator, callNotes, gnumeric];
  portal.fake.sessions.apps = [
    sessionApp('calculator', 'Calculator', { state: 'waiting' }),
    sessionApp('call-notes', 'Call notes', { mode: 'on-demand', state: 'on-demand' }),
  ];
};

async function startPage(): Promise<void> {
  await portal.page.goto(portal.origin);
  await portal.signIn();
  await portal.at('my-apps').waitFor();
}

describe("the person's applications", () => {
  it('stand beside the desktops with their pictures, and say what they are', async () => {
    give();
    await startPage();
    await portal.until(
      () =>
        portal.page
          .locator('.app-icon')
          .evaluateAll((all) => all.map((each) => (each as HTMLImageElement).naturalWidth > 0)),
      [true, true, true],
    );
    expect(await portal.at('my-apps').locator('li').count()).toBe(2);
    expect(await portal.at('app-call-notes').textContent()).toContain('Added when you first open it');
    await portal.shoot('start');
    await portal.at('open-app-calculator').focus();
    await portal.page.keyboard.press('Tab');
    expect(await portal.focusedTestId()).toBe('open-app-call-notes');
  });

  it('are asked for only when the desktops are on the page', async () => {
    give();
    let release = (): void => undefined;
    portal.fake.holds.set('GET /me/pools', new Promise((resolve) => (release = resolve)));
    await portal.page.goto(portal.origin);
    await portal.signIn();
    await portal.until(() => portal.fake.calls.includes('GET /sessions'), true);
    // Whatever was sent along with the sessions has arrived before this.
    await portal.page.evaluate(() => fetch('/api/v1/me'));
    expect(portal.fake.calls).not.toContain('GET /me/apps');
    release();
    await portal.at('my-apps').waitFor();
  });

  it('come without moving the desktops under the pointer', async () => {
    give();
    let release = (): void => undefined;
    portal.fake.holds.set('GET /me/apps', new Promise((resolve) => (release = resolve)));
    await portal.page.goto(portal.origin);
    await portal.signIn();
    const before = await portal.at('open-call-center').boundingBox();
    release();
    await portal.at('my-apps').waitFor();
    expect(await portal.at('open-call-center').boundingBox()).toEqual(before);
  });

  it('do not stand in the way of the desktops when they cannot be read', async () => {
    portal.fake.apps.unavailable = true;
    await portal.page.goto(portal.origin);
    await portal.signIn();
    await portal.page.locator('.shelf-note').waitFor();
    await portal.at('open-call-center').click();
    await portal.connected();
  });

  it('open a desktop straight into one, with words until it is there', async () => {
    give();
    portal.fake.sessions.holdAt = 'prepare';
    await startPage();
    await portal.at('open-app-calculator').click();
    await portal.at('overlay').filter({ hasText: 'Calculator starts as soon as your desktop has it.' }).waitFor();
    await portal.shoot('opening-app');
    portal.fake.sessions.release();
    await portal.connected();
    expect(portal.fake.apps.wanted).toEqual(['calculator']);
    await portal.at('app-awaited').filter({ hasText: 'Calculator starts as soon as' }).waitFor();
    portal.fake.sessions.changeApp('calculator', { state: 'ready' });
    await portal.at('app-awaited').waitFor({ state: 'detached' });
  });

  it('start in the desktop that is there already', async () => {
    give();
    await portal.openDesktop();
    portal.fake.sessions.changeApp('calculator', { state: 'ready' });
    await portal.page.goBack();
    await portal.at('open-app-calculator').click();
    await portal.connected();
    await portal.until(() => portal.fake.apps.started, ['calculator']);
    expect(portal.fake.apps.wanted).toEqual([]);
    expect(portal.fake.idempotencyKeys).toHaveLength(1);
  });

  it('can be added and removed by the person where IT allows it', async () => {
    give();
    await startPage();
    await portal.page.getByRole('button', { name: 'Add Gnumeric to my desktop' }).click();
    await portal.at('open-app-gnumeric').waitFor();
    expect(portal.fake.apps.mine.at(-1)?.pinned).toBe(true);
    await portal.shoot('start-added');
    await portal.page.getByRole('button', { name: 'Remove Gnumeric from my desktop' }).click();
    await portal.at('pin-gnumeric').waitFor();
    expect(portal.fake.apps.mine.at(-1)?.pinned).toBe(false);
  });
});

describe('the applications of the desktop on the screen', () => {
  it('are listed in the bar as they get ready, and start at a click', async () => {
    give();
    await portal.openDesktop();
    await portal.openBar('apps');
    const row = portal.at('session-app-calculator');
    expect(await row.textContent()).toContain('On its way');
    portal.fake.sessions.changeApp('calculator', { state: 'attaching' });
    await row.filter({ hasText: 'Being added' }).waitFor();
    portal.fake.sessions.changeApp('calculator', { state: 'ready' });
    await row.filter({ hasText: 'Ready' }).waitFor();
    await portal.at('start-app-calculator').click();
    await portal.at('message').filter({ hasText: 'Calculator is starting' }).waitFor();
    await portal.until(() => portal.fake.apps.started, ['calculator']);
    // The keyboard is the desktop's again.
    await portal.page.keyboard.press('a');
    await portal.until(() => portal.fake.received.keys.at(-1), { keysym: 0x61, pressed: false });
    await portal.openBar('apps');
    await portal.at('start-app-call-notes').click();
    await portal.at('app-awaited').filter({ hasText: 'Call notes starts as soon as' }).waitFor();
    portal.fake.sessions.changeApp('call-notes', { state: 'ready' });
    await portal.at('app-awaited').waitFor({ state: 'detached' });
  });

  it('are told of once when they are missing, with the reason, and the desktop can be used meanwhile', async () => {
    give();
    await portal.openDesktop();
    portal.fake.sessions.changeApp('calculator', { state: 'ready' });
    portal.fake.sessions.changeApp('call-notes', { state: 'failed', reason: 'damaged' });
    const notice = portal.at('app-failure');
    await notice.filter({ hasText: 'Call notes is missing from this desktop.' }).waitFor();
    expect(await notice.textContent()).toContain('found damaged');
    expect(await notice.textContent()).toContain('You can work without it; IT has been told.');
    await portal.page.keyboard.press('b');
    await portal.until(() => portal.fake.received.keys.at(-1), { keysym: 0x62, pressed: false });
    await portal.openBar('apps');
    await portal.shoot('session-apps');
    await portal.at('dismiss-failure').click();
    await notice.waitFor({ state: 'detached' });
    await portal.page.reload();
    await portal.connected();
    await portal.openBar('apps');
    await portal.at('session-app-call-notes').filter({ hasText: 'Missing. It was found damaged' }).waitFor();
    expect(await notice.count()).toBe(0);
  });

  it('can be tried again, and tell of a second failure', async () => {
    give();
    await portal.openDesktop();
    portal.fake.sessions.changeApp('call-notes', { state: 'failed', reason: 'too-slow' });
    await portal.at('dismiss-failure').click();
    await portal.openBar('apps');
    await portal.at('start-app-call-notes').click();
    await portal.at('app-awaited').filter({ hasText: 'Call notes starts as soon as' }).waitFor();
    expect(await portal.at('app-failure').count()).toBe(0);
    portal.fake.sessions.changeApp('call-notes', { state: 'failed', reason: 'too-slow' });
    await portal.at('app-failure').filter({ hasText: 'did not arrive in time' }).waitFor();
    expect(await portal.at('app-awaited').count()).toBe(0);
  });

  it('say why one does not start', async () => {
    give();
    await portal.openDesktop();
    portal.fake.sessions.changeApp('calculator', { state: 'ready' });
    portal.fake.apps.startProblem = { status: 409, code: 'conflict' };
    await portal.openBar('apps');
    await portal.at('start-app-calculator').click();
    await portal.at('message').filter({ hasText: 'Calculator cannot be started just now' }).waitFor();
  });
});
