import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { FakeGoldleaf } from './fake-goldleaf.js';
import { buildPortal, launchBrowser, pixelAt } from './portal-browser.js';

/** Where screenshots go, for people; none are made without it. */
const screenshotFolder = process.env.PORTAL_SCREENSHOTS;
const patience = 10_000;

let fake: FakeGoldleaf;
let origin: string;
let built: Awaited<ReturnType<typeof buildPortal>>;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  built = await buildPortal();
  fake = new FakeGoldleaf(built.folder);
  origin = await fake.start();
  browser = await launchBrowser();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await fake?.stop();
  await built?.remove();
});

beforeEach(async () => {
  fake.reset();
  context = await browser.newContext({ viewport: { width: 1024, height: 768 } });
  page = await context.newPage();
  page.setDefaultTimeout(patience);
  complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (/Content Security Policy/.test(message.text())) complaints.push(message.text());
  });
});

afterEach(async () => {
  await context.close();
  expect(complaints).toEqual([]);
});

const at = (testId: string) => page.locator(`[data-testid="${testId}"]`);
const shoot = async (name: string): Promise<void> => {
  if (!screenshotFolder) return;
  await mkdir(screenshotFolder, { recursive: true });
  for (const [width, height] of [
    [1024, 768],
    [1280, 800],
  ] as const) {
    await page.setViewportSize({ width, height });
    await page.waitForTimeout(700); // animations over; only when people want pictures
    await page.screenshot({ path: path.join(screenshotFolder, `${name}-${width}.png`) });
  }
  await page.setViewportSize({ width: 1024, height: 768 });
};
const until = async (what: () => unknown, wanted: unknown): Promise<void> => {
  const deadline = Date.now() + patience;
  for (;;) {
    const value = await what();
    if (JSON.stringify(value) === JSON.stringify(wanted)) return;
    if (Date.now() > deadline) expect(value).toEqual(wanted);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
};

async function signIn(password = 'alice-demo'): Promise<void> {
  await at('username').fill('alice');
  await at('password').fill(password);
  await at('password').press('Enter');
}
async function openDesktop(): Promise<void> {
  await page.goto(origin);
  await signIn();
  await at('open-call-center').click();
  await connected();
}
const connected = () => page.locator('[data-testid=desktop][data-connected=true]:not(.desktop-covered)').waitFor();
async function openBar(): Promise<void> {
  await at('bar-handle').click();
  await at('bar').waitFor();
}

describe('sign-in', () => {
  it('puts the focus on the name, asks for what is missing and keeps no password', async () => {
    await page.goto(origin);
    await at('username').waitFor();
    await until(() => page.evaluate(() => document.activeElement?.getAttribute('data-testid')), 'username');
    await shoot('sign-in');
    await at('sign-in').click();
    expect(await at('message').textContent()).toContain('Enter your user name');
    await signIn('wrong');
    await at('message').filter({ hasText: 'name or the password is wrong' }).waitFor();
    expect(await at('password').inputValue()).toBe('');
    expect(await page.content()).not.toContain('wrong"');
    await shoot('sign-in-wrong');
  });

  it('says that the directory is down, and not that the password is wrong', async () => {
    fake.loginProblem = { status: 503, code: 'directory-unavailable' };
    await page.goto(origin);
    await signIn();
    await at('message').filter({ hasText: 'directory does not answer' }).waitFor();
  });

  it('closes the form for as long as the broker says, counting down', async () => {
    fake.loginProblem = { status: 429, code: 'too-many-attempts', retryAfterSeconds: 3 };
    await page.goto(origin);
    await signIn();
    await at('message')
      .filter({ hasText: /in [23] seconds/ })
      .waitFor();
    expect(await at('sign-in').isDisabled()).toBe(true);
    await shoot('sign-in-too-many');
    await at('message').filter({ hasText: 'try again now' }).waitFor();
    expect(await at('sign-in').isDisabled()).toBe(false);
  });

  it('says that the server cannot be reached', async () => {
    await page.goto(origin);
    await at('username').waitFor();
    await context.setOffline(true);
    await signIn();
    await at('message').filter({ hasText: 'cannot be reached' }).waitFor();
  });

  it('signs out', async () => {
    await page.goto(origin);
    await signIn();
    await at('sign-out').click();
    await at('message').filter({ hasText: 'signed out' }).waitFor();
    await page.reload();
    await at('username').waitFor();
  });
});

describe('a desktop', () => {
  it('opens with its phases, draws, and takes keyboard and mouse', async () => {
    fake.holdAt = 'prepare';
    await page.goto(origin);
    await signIn();
    await at('pool-call-center').waitFor();
    await shoot('pools');
    await at('open-call-center').click();
    await page.locator('[data-phase=prepare][data-status=running]').waitFor();
    expect(await page.locator('[data-phase=allocate]').getAttribute('data-status')).toBe('done');
    expect(await at('desktop').getAttribute('data-session-state')).toBe('preparing');
    await shoot('phases');
    fake.release();
    await connected();
    expect(await pixelAt(page, 5, 5)).toEqual([44, 74, 92]);
    expect(await at('overlay').count()).toBe(0);
    expect(await at('desktop').getAttribute('data-session-state')).toBe('active');
    expect(await at('desktop').getAttribute('data-desktop-id')).toMatch(/^[0-9a-f-]{36}$/);
    await page.keyboard.type('ls');
    await page.mouse.click(300, 400);
    await until(() => fake.received.clicks, [{ x: 300, y: 400 }]);
    expect(fake.received.keys.filter((key) => key.pressed).map((key) => key.keysym)).toEqual([0x6c, 0x73]);
    await until(() => pixelAt(page, 175, 205), [200, 162, 74]);
    await shoot('desktop');
  });

  it('releases all keys when the window loses the focus', async () => {
    await openDesktop();
    await page.keyboard.down('Alt');
    await until(() => fake.received.keys, [{ keysym: 0xffe9, pressed: true }]);
    await page.evaluate(() => window.dispatchEvent(new Event('blur')));
    await until(() => fake.received.keys.at(-1), { keysym: 0xffe9, pressed: false });
  });

  it('asks for a desktop of the size of the window and follows it', async () => {
    await openDesktop();
    await page.setViewportSize({ width: 1283, height: 801 });
    await until(() => fake.displays, [{ width: 1280, height: 800 }]);
    await until(() => page.locator('[data-testid=desktop] canvas').first().getAttribute('width'), '1280');
    await page.mouse.click(1000, 700);
    await until(() => fake.received.clicks, [{ x: 999, y: 700 }]);
  });

  it('gives a clean desktop after "Restart clean", with the question before', async () => {
    await openDesktop();
    const before = await at('desktop').getAttribute('data-desktop-id');
    await openBar();
    await shoot('bar');
    await openBarPanel('restart-clean');
    await shoot('restart');
    fake.holdAt = 'allocate';
    await at('confirm-restart').click();
    await at('overlay').filter({ hasText: 'Restarting clean' }).waitFor();
    await page.locator('[data-phase=allocate][data-status=running]').waitFor();
    expect(await page.locator('[data-testid=desktop] canvas').count()).toBe(0);
    await shoot('restarting');
    fake.release();
    await connected();
    expect(await at('desktop').getAttribute('data-desktop-id')).not.toBe(before);
    expect(await pixelAt(page, 5, 5)).toEqual([70, 62, 96]);
    await page.keyboard.press('x');
    await until(() => fake.received.keys.at(-1), { keysym: 0x78, pressed: false });
  });

  it.each([
    ['guest-reboot', 'Your desktop restarted'],
    ['guest-poweroff', 'was shut down'],
    ['machine-lost', 'stopped unexpectedly'],
  ] as const)('says why and comes back by itself after %s', async (reason, words) => {
    await openDesktop();
    fake.holdAt = 'prepare';
    fake.loseDesktop(reason);
    await at('overlay').filter({ hasText: words }).waitFor();
    fake.release();
    await connected();
    expect(fake.ticketsRedeemed).toBe(2);
  });

  it('reconnects with a new ticket after the tunnel was lost, keeping the last picture', async () => {
    await openDesktop();
    fake.cutTunnels(true);
    await at('overlay').filter({ hasText: 'Reconnecting' }).waitFor();
    expect(await pixelAt(page, 5, 5)).toEqual([44, 74, 92]);
    await shoot('reconnecting');
    fake.acceptAgain();
    await connected();
    expect(fake.ticketsRedeemed).toBe(2);
  });

  it('learns of a new desktop even while the events are down', async () => {
    await openDesktop();
    fake.holdAt = 'prepare';
    fake.cutEvents();
    fake.loseDesktop('guest-reboot');
    await at('overlay').filter({ hasText: 'Your desktop restarted' }).waitFor();
    fake.release();
    await connected();
  });

  it('gives way to another window and can be taken back', async () => {
    await openDesktop();
    const first = page;
    page = await context.newPage();
    await page.goto(origin);
    await at('open-call-center').filter({ hasText: 'Return to your desktop' }).waitFor();
    await shoot('pools-live');
    await at('open-call-center').click();
    await connected();
    const second = page;
    page = first;
    await at('overlay').filter({ hasText: 'open in another window' }).waitFor();
    await shoot('conflict');
    await at('use-here').click();
    await connected();
    await second.locator('[data-testid=overlay]').filter({ hasText: 'open in another window' }).waitFor();
    expect(fake.ticketsRedeemed).toBe(3);
  });

  it('is there again after a reload, and Back leads to the pools', async () => {
    await openDesktop();
    await page.reload();
    await connected();
    await page.goBack();
    await at('open-call-center').filter({ hasText: 'Return to your desktop' }).waitFor();
  });

  it('logs off', async () => {
    await openDesktop();
    await openBar();
    await at('log-off').click();
    await at('message').filter({ hasText: 'logged off from Call centre' }).waitFor();
    await at('open-call-center')
      .filter({ hasText: /^Open$/ })
      .waitFor();
    await shoot('logged-off');
  });

  it('is reachable by keyboard alone', async () => {
    await openDesktop();
    await page.keyboard.press('Control+Alt+Shift');
    await at('bar').waitFor();
    await until(() => page.evaluate(() => document.activeElement?.getAttribute('data-testid')), 'restart-clean');
    await page.keyboard.press('Escape');
    await at('bar').waitFor({ state: 'detached' });
    const before = fake.received.keys.length;
    await page.keyboard.press('a');
    await until(() => fake.received.keys.length, before + 2);
    const down = new Map(fake.received.keys.map((key) => [key.keysym, key.pressed]));
    expect([...down.values()]).not.toContain(true);
  });

  it('carries text both ways', async () => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await openDesktop();
    fake.desktop?.copy('aus dem Gast: grün');
    await until(() => page.evaluate(() => navigator.clipboard.readText()), 'aus dem Gast: grün');
    await page.evaluate(() => navigator.clipboard.writeText('to the guest ✓'));
    await page.keyboard.press('Control+v');
    await until(() => fake.received.clipboards, ['to the guest ✓']);
    await until(() => fake.received.keys.filter((key) => key.keysym === 0x76).map((key) => key.pressed), [true, false]);
  });

  it('has a box for text where the browser allows nothing', async () => {
    await openDesktop();
    fake.desktop?.copy('copied in the guest');
    await openBar();
    await openBarPanel('clipboard');
    await until(() => at('clipboard-box').inputValue(), 'copied in the guest');
    await shoot('clipboard');
    await at('clipboard-box').fill('typed by hand');
    await at('clipboard-send').click();
    await until(() => fake.received.clipboards, ['typed by hand']);
  });

  it('explains a failed logon and tries again', async () => {
    fake.failWith = 'No desktop became ready in time.';
    await page.goto(origin);
    await signIn();
    await at('open-call-center').click();
    await at('message').filter({ hasText: 'No desktop became ready' }).waitFor();
    await shoot('failure');
    fake.failWith = null;
    await at('retry').click();
    await connected();
    expect(new Set(fake.idempotencyKeys).size).toBe(2);
  });

  it('tells how long a cold start takes', async () => {
    fake.holdAt = 'allocate';
    for (const pool of fake.pools) pool.available = 0;
    await page.goto(origin);
    await signIn();
    await at('open-call-center').click();
    await at('overlay').filter({ hasText: 'a new one is being started' }).waitFor();
    await shoot('cold-start');
  });

  it('goes back to the pools with the reason when the desktop in use fails', async () => {
    await openDesktop();
    fake.endSessions('failed', 'The host of your desktop is gone.');
    await at('message').filter({ hasText: 'The host of your desktop is gone.' }).waitFor();
    await at('open-call-center').waitFor();
  });

  it('asks for a new sign-in when the old one has ended', async () => {
    await openDesktop();
    fake.revokeSignIns();
    fake.cutTunnels();
    await at('message').filter({ hasText: 'Your sign-in has ended' }).waitFor();
    await at('username').waitFor();
  });
});

async function openBarPanel(button: string): Promise<void> {
  await at(button).click();
  await page.locator('.bar-panel').waitFor();
}
