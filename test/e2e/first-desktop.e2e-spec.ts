import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { startBrowser } from './support/browser.js';
import { DesktopPage } from './support/desktop-page.js';
import { Goldleaf } from './support/goldleaf.js';
import { until } from './support/until.js';

/** Outside of the home, which roams. */
const MARKER = '/var/tmp/left-behind';

describe('the first desktop', () => {
  let goldleaf: Goldleaf;
  let browser: Browser;
  let alice: DesktopPage;

  beforeAll(async () => {
    goldleaf = await Goldleaf.prepare();
    await goldleaf.start();
    browser = await startBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await goldleaf?.remove();
  });

  it('refuses a wrong password, then signs alice in and shows her pool', async () => {
    alice = await DesktopPage.open(browser, goldleaf.url);
    await alice.signIn('alice', 'wrong');
    await until('a refusal', async () => (await alice.byId('message').count()) > 0);
    await alice.signIn('alice');
    await alice.byId('pool-call-center').waitFor();
  });

  it('opens a drawn desktop that runs what is typed', async () => {
    await alice.openPool('call-center');
    await alice.openTerminal();
    expect(await alice.ask(`test -e ${MARKER}`)).toBe(false);
    expect(await alice.ask(`echo secret > ${MARKER}; test -e ${MARKER}`)).toBe(true);
  });

  it('draws at the size of the window, when that grows and when it shrinks', async () => {
    const before = await alice.desktopId();
    for (const size of [
      { width: 1280, height: 800 },
      { width: 1024, height: 768 },
    ]) {
      await alice.page.setViewportSize(size);
      await until(`a picture of ${size.width} x ${size.height}`, async () => {
        const { width, height } = (await alice.picture()) ?? {};
        return width === size.width && height === size.height;
      });
    }
    expect(await alice.connected()).toBe(before);
    expect(await alice.ask('true')).toBe(true);
  });

  const killMachine = async (desktopId: string) => {
    await promisify(execFile)('pkill', ['-KILL', '-f', `qemu-system.*${desktopId}`]);
  };

  const waysToReboot: Record<string, () => Promise<void>> = {
    'Restart clean': () => alice.restartClean(),
    'reboot inside': () => alice.type('reboot'),
    'power-off inside': () => alice.type('poweroff'),
    'the machine killed': async () => killMachine(await alice.desktopId()),
  };

  it.each(Object.keys(waysToReboot))('%s: a clean desktop, no sign-in, nothing left', async (way) => {
    const before = await alice.desktopId();
    expect(await alice.ask(`echo secret > ${MARKER}; test -e ${MARKER}`)).toBe(true);
    await waysToReboot[way]?.();
    await alice.connected(before);
    await alice.openTerminal();
    expect(await alice.ask(`test -e ${MARKER}`)).toBe(false);
    await until('the old leaf is gone', async () => !(await goldleaf.machineFolders()).includes(before));
  });

  it('brings a person back to the same desktop from a second browser, and closes the first', async () => {
    const desktop = await alice.desktopId();
    expect(await alice.ask(`touch ${MARKER}`)).toBe(true);
    const elsewhere = await DesktopPage.open(browser, goldleaf.url);
    await elsewhere.signIn('alice');
    await elsewhere.openPool('call-center');
    expect(await elsewhere.desktopId()).toBe(desktop);
    expect(await elsewhere.ask(`test -e ${MARKER}`)).toBe(true);
    await until('the first window is told', async () => alice.byId('overlay').isVisible());
    await elsewhere.close();
  });

  it('ends the machine and its leaf at log-off', async () => {
    const again = await DesktopPage.open(browser, goldleaf.url);
    await again.signIn('alice');
    await again.openPool('call-center');
    const desktop = await again.desktopId();
    await again.byId('bar-handle').click();
    await again.byId('log-off').click();
    await again.byId('pool-call-center').waitFor();
    await until('the leaf is gone', async () => !(await goldleaf.machineFolders()).includes(desktop));
    await again.close();
  });
});
