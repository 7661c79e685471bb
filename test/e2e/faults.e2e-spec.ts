import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { startBrowser } from './support/browser.js';
import { DesktopPage } from './support/desktop-page.js';
import { Goldleaf } from './support/goldleaf.js';
import { until } from './support/until.js';

const RECOVERY_MS = 60_000;

describe('faults while people work', () => {
  let goldleaf: Goldleaf;
  let browser: Browser;
  let alice: DesktopPage;
  let desktop: string;

  beforeAll(async () => {
    goldleaf = await Goldleaf.prepareUsed();
    await goldleaf.start();
    browser = await startBrowser();
    alice = await DesktopPage.open(browser, goldleaf.url);
    await alice.signIn('alice');
    await alice.openPool('call-center');
    await alice.openTerminal();
    expect(await alice.ask('touch /var/tmp/still-here')).toBe(true);
    desktop = await alice.desktopId();
  });

  afterAll(async () => {
    await browser?.close();
    await goldleaf?.remove();
  });

  const isDisconnected = async () => (await alice.byId('desktop').getAttribute('data-connected')) === 'false';

  it('guacd dies: the person is told and is back on the same desktop by itself', async () => {
    await goldleaf.killServer('guacd');
    await until('the loss is noticed', isDisconnected);
    await until('a message', async () => alice.byId('overlay').isVisible());
    expect(await alice.connected()).toBe(desktop);
    expect(await alice.ask('test -e /var/tmp/still-here')).toBe(true);
  });

  it('Redis dies in the middle of a logon: the logon goes on', async () => {
    const bob = await DesktopPage.open(browser, goldleaf.url);
    await bob.signIn('bob');
    await bob.byId('pool-call-center').waitFor();
    await goldleaf.killServer('redis');
    await bob.openPool('call-center');
    expect(await bob.desktopId()).not.toBe(desktop);
    await bob.close();
    expect(await alice.ask('test -e /var/tmp/still-here')).toBe(true);
  });

  it('PostgreSQL dies: desktops go on, and new logons work as soon as it is back', async () => {
    await goldleaf.killServer('postgres');
    expect(await alice.ask('test -e /var/tmp/still-here')).toBe(true);
    await until('ready again', () => goldleaf.isReady(), RECOVERY_MS);
    const bob = await DesktopPage.open(browser, goldleaf.url);
    await bob.signIn('bob');
    await bob.openPool('call-center');
    await bob.close();
  });

  it('everything but the machines is killed: the next start adopts them, and the person is back where they were', async () => {
    await goldleaf.kill();
    await until('the loss is noticed', isDisconnected);
    await goldleaf.start();
    expect(await alice.connected()).toBe(desktop);
    expect(await alice.ask('test -e /var/tmp/still-here')).toBe(true);
  });

  it('everything is stopped and started again: a clean desktop, without a new sign-in', async () => {
    await goldleaf.stop();
    expect(await goldleaf.machineFolders()).toEqual([]);
    await goldleaf.start();
    await alice.connected(desktop);
    await alice.openTerminal();
    expect(await alice.ask('test -e /var/tmp/still-here')).toBe(false);
  });
});
