import { describe, expect, it } from '@jest/globals';
import { pixelAt } from './portal-browser.js';
import { PortalFixture } from './portal-fixture.js';

const portal = PortalFixture.forThisFile();

describe('a desktop', () => {
  it('opens with its phases, draws, and takes keyboard and mouse', async () => {
    portal.fake.sessions.holdAt = 'prepare';
    await portal.page.goto(portal.origin);
    await portal.signIn();
    await portal.at('pool-call-center').waitFor();
    await portal.shoot('pools');
    await portal.at('open-call-center').click();
    await portal.page.locator('[data-phase=prepare][data-status=running]').waitFor();
    expect(await portal.page.locator('[data-phase=allocate]').getAttribute('data-status')).toBe('done');
    expect(await portal.at('desktop').getAttribute('data-session-state')).toBe('preparing');
    await portal.shoot('phases');
    portal.fake.sessions.release();
    await portal.connected();
    expect(await pixelAt(portal.page, 5, 5)).toEqual([44, 74, 92]);
    expect(await portal.at('overlay').count()).toBe(0);
    expect(await portal.at('desktop').getAttribute('data-session-state')).toBe('active');
    expect(await portal.at('desktop').getAttribute('data-desktop-id')).toMatch(/^[0-9a-f-]{36}$/);
    await portal.page.keyboard.type('ls');
    await portal.page.mouse.click(300, 400);
    await portal.until(() => portal.fake.received.clicks, [{ x: 300, y: 400 }]);
    expect(portal.fake.received.keys.filter((key) => key.pressed).map((key) => key.keysym)).toEqual([0x6c, 0x73]);
    await portal.until(() => pixelAt(portal.page, 175, 205), [200, 162, 74]);
    await portal.shoot('desktop');
  });

  it('keeps the phases until the desktop has drawn, so that nobody sees a black screen', async () => {
    await portal.page.goto(portal.origin);
    await portal.signIn();
    await portal.at('open-call-center').click();
    await portal.page.waitForFunction(
      () => document.querySelector('[data-testid=desktop]')?.getAttribute('data-connected') === 'true',
    );
    expect(await pixelAt(portal.page, 5, 5)).toEqual([44, 74, 92]);
  });

  it('releases all keys when the window loses the focus', async () => {
    await portal.openDesktop();
    await portal.page.keyboard.down('Alt');
    await portal.until(() => portal.fake.received.keys, [{ keysym: 0xffe9, pressed: true }]);
    await portal.page.evaluate(() => window.dispatchEvent(new Event('blur')));
    await portal.until(() => portal.fake.received.keys.at(-1), { keysym: 0xffe9, pressed: false });
  });

  it('asks for a desktop of the size of the window and follows it', async () => {
    await portal.openDesktop();
    await portal.page.setViewportSize({ width: 1283, height: 801 });
    await portal.until(() => portal.fake.displays, [{ width: 1280, height: 800 }]);
    await portal.until(() => portal.page.locator('[data-testid=desktop] canvas').first().getAttribute('width'), '1280');
    await portal.page.mouse.click(1000, 700);
    await portal.until(() => portal.fake.received.clicks, [{ x: 999, y: 700 }]);
  });

  it('connects anew to a guest that has followed without a word', async () => {
    await portal.openDesktop();
    portal.fake.tellsSizes = false;
    await portal.page.setViewportSize({ width: 896, height: 600 });
    await portal.until(() => portal.fake.displays, [{ width: 896, height: 600 }]);
    const guest = portal.page.locator('[data-testid=desktop] .guest:not(.guest-undrawn) > div');
    await portal.until(async () => (await guest.boundingBox())?.width, 896);
    await portal.connected();
  });

  it('gives a clean desktop after "Restart clean", with the question before', async () => {
    await portal.openDesktop();
    const before = await portal.at('desktop').getAttribute('data-desktop-id');
    await portal.openBar();
    await portal.shoot('bar');
    await portal.openBar('restart-clean');
    await portal.shoot('restart');
    portal.fake.sessions.holdAt = 'allocate';
    await portal.at('confirm-restart').click();
    await portal.at('overlay').filter({ hasText: 'Restarting clean' }).waitFor();
    await portal.page.locator('[data-phase=allocate][data-status=running]').waitFor();
    expect(await portal.page.locator('[data-testid=desktop] canvas').count()).toBe(0);
    await portal.shoot('restarting');
    portal.fake.sessions.release();
    await portal.connected();
    expect(await portal.at('desktop').getAttribute('data-desktop-id')).not.toBe(before);
    expect(await pixelAt(portal.page, 5, 5)).toEqual([70, 62, 96]);
    await portal.page.keyboard.press('x');
    await portal.until(() => portal.fake.received.keys.at(-1), { keysym: 0x78, pressed: false });
  });

  it('logs off', async () => {
    await portal.openDesktop();
    await portal.openBar();
    await portal.at('log-off').click();
    await portal.at('message').filter({ hasText: 'logged off from Call centre' }).waitFor();
    await portal
      .at('open-call-center')
      .filter({ hasText: /^Open$/ })
      .waitFor();
    await portal.shoot('logged-off');
  });

  it('is reachable by keyboard alone', async () => {
    await portal.openDesktop();
    await portal.page.keyboard.press('Control+Alt+Shift');
    await portal.at('bar').waitFor();
    await portal.until(() => portal.focusedTestId(), 'restart-clean');
    await portal.page.keyboard.press('Escape');
    await portal.at('bar').waitFor({ state: 'detached' });
    const before = portal.fake.received.keys.length;
    await portal.page.keyboard.press('a');
    await portal.until(() => portal.fake.received.keys.length, before + 2);
    const down = new Map(portal.fake.received.keys.map((key) => [key.keysym, key.pressed]));
    expect([...down.values()]).not.toContain(true);
  });

  it('carries text both ways', async () => {
    await portal.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await portal.openDesktop();
    portal.fake.desktop?.copy('aus dem Gast: grün');
    await portal.until(() => portal.page.evaluate(() => navigator.clipboard.readText()), 'aus dem Gast: grün');
    await portal.page.evaluate(() => navigator.clipboard.writeText('to the guest ✓'));
    await portal.page.keyboard.press('Control+v');
    await portal.until(() => portal.fake.received.clipboards, ['to the guest ✓']);
    await portal.until(
      () => portal.fake.received.keys.filter((key) => key.keysym === 0x76).map((key) => key.pressed),
      [true, false],
    );
  });

  it('has a box for text where the browser allows nothing', async () => {
    await portal.openDesktop();
    portal.fake.desktop?.copy('copied in the guest');
    await portal.openBar('clipboard');
    await portal.until(() => portal.at('clipboard-box').inputValue(), 'copied in the guest');
    await portal.shoot('clipboard');
    await portal.at('clipboard-box').fill('typed by hand');
    await portal.at('clipboard-send').click();
    await portal.until(() => portal.fake.received.clipboards, ['typed by hand']);
  });

  it('explains a failed logon and tries again', async () => {
    portal.fake.sessions.failWith = 'No desktop became ready in time.';
    await portal.page.goto(portal.origin);
    await portal.signIn();
    await portal.at('open-call-center').click();
    await portal.at('message').filter({ hasText: 'No desktop became ready' }).waitFor();
    await portal.shoot('failure');
    portal.fake.sessions.failWith = null;
    await portal.at('retry').click();
    await portal.connected();
    expect(new Set(portal.fake.idempotencyKeys).size).toBe(2);
  });

  it('tells how long a cold start takes', async () => {
    portal.fake.sessions.holdAt = 'allocate';
    for (const pool of portal.fake.pools) pool.available = 0;
    await portal.page.goto(portal.origin);
    await portal.signIn();
    await portal.at('open-call-center').click();
    await portal.at('overlay').filter({ hasText: 'a new one is being started' }).waitFor();
    await portal.shoot('cold-start');
  });
});
