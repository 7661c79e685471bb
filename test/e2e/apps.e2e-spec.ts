import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { type AppView, appViewSchema } from '#libs/contracts';
import { ApiPerson } from './support/api-person.js';
import { startBrowser } from './support/browser.js';
import { DesktopPage } from './support/desktop-page.js';
import { Goldleaf } from './support/goldleaf.js';
import { tamperWithVolume } from './support/tamper.js';
import { until } from './support/until.js';

/** Room for the first build of the demo applications: packages are fetched and installed. */
const BUILD_TIMEOUT_MS = 280_000;
/** An application under software emulation, on a busy host. */
const APP_TIMEOUT_MS = 90_000;
/** Of call-notes. */
const HAS_NOTE = 'test -s ~/Call*/*';

describe('applications', () => {
  let goldleaf: Goldleaf;
  let browser: Browser;
  let ivan: ApiPerson;
  let alice: DesktopPage;
  let carol: DesktopPage;

  const app = async (name: string): Promise<AppView> => appViewSchema.parse(await ivan.call('GET', `/apps/${name}`));
  const isAssigned = async (name: string) => (await app(name)).assignments.length > 0;
  /** Waits until the session's list of applications says so. It closes when a person's keys go to the desktop. */
  const untilApp = (page: DesktopPage, name: string, state: string) =>
    until(
      `${name} is ${state}`,
      async () => {
        await page.showApps();
        const item = page.byId(`session-app-${name}`);
        return (await item.getAttribute('data-state', { timeout: 2_000 })) === state;
      },
      APP_TIMEOUT_MS,
    );

  beforeAll(async () => {
    goldleaf = await Goldleaf.prepareUsed({ apps: true });
    await goldleaf.start();
    browser = await startBrowser();
    ivan = new ApiPerson(goldleaf.url, 'ivan');
    await ivan.signIn();
    for (const name of ['calculator', 'call-notes', 'spreadsheet']) {
      await until(`${name} is assigned`, () => isAssigned(name).catch(() => false), BUILD_TIMEOUT_MS);
    }
  });

  afterAll(async () => {
    await browser?.close();
    await goldleaf?.remove();
  });

  it('alice and carol, on the same golden image, see the applications of their roles and no others', async () => {
    alice = await DesktopPage.open(browser, goldleaf.url);
    await alice.signIn('alice');
    await alice.byId('open-app-calculator').waitFor();
    await alice.byId('open-app-call-notes').waitFor();
    expect(await alice.byId('open-app-spreadsheet').count()).toBe(0);
    carol = await DesktopPage.open(browser, goldleaf.url, { width: 1280, height: 800 });
    await carol.signIn('carol');
    await carol.byId('open-app-spreadsheet').waitFor();
    expect(await carol.byId('open-app-calculator').count()).toBe(0);
  });

  it('carol opens straight into the spreadsheet, which is drawn', async () => {
    await carol.byId('open-app-spreadsheet').click();
    await carol.connected();
    await untilApp(carol, 'spreadsheet', 'ready');
    await carol.hideBar();
    // A sheet: most of the window is white cells.
    const isSheet = async () =>
      (await carol.pixels()).areas.some(([colour, size]) => colour === 0xffffff && size > 250_000);
    await until('a sheet', isSheet, APP_TIMEOUT_MS);
  });

  it('alice starts her calculator from the list of her session, and it is drawn', async () => {
    await alice.openPool('call-center');
    await untilApp(alice, 'calculator', 'ready');
    await untilApp(alice, 'call-notes', 'ready');
    const before = new Set((await alice.pixels()).areas.map(([colour]) => colour));
    await alice.byId('start-app-calculator').click();
    await alice.hideBar();
    const isDrawn = async () => (await alice.pixels()).areas.some(([colour]) => !before.has(colour));
    await until('a window', isDrawn, APP_TIMEOUT_MS);
    await alice.openTerminal();
    expect(await alice.ask('pgrep -x galculator')).toBe(true);
  });

  it('what she writes in an application is kept in her home', async () => {
    const before = new Map((await alice.pixels()).areas);
    const noted = alice.ask(`call-notes & until ${HAS_NOTE}; do sleep 1; done; pkill call-notes; pkill yad`);
    const isDrawn = async () =>
      (await alice.pixels()).areas.some(([colour, size]) => size > (before.get(colour) ?? 0) + 30_000);
    await until('a form', isDrawn, APP_TIMEOUT_MS);
    await alice.type('Meier');
    expect(await noted).toBe(true);
  });

  it('a desktop holds nothing of an application that is not its own', async () => {
    expect(await alice.ask('test -x /usr/bin/galculator && ! test -e /usr/bin/gnumeric')).toBe(true);
    expect(await alice.ask('test "$(sudo ls /run/extensions | grep -cx -e calculator -e call-notes)" = 2')).toBe(true);
    expect(await alice.ask('! sudo ls /run/extensions | grep -q spreadsheet')).toBe(true);
    // On the bus: as many disks as applications, and the one of the profile.
    expect(await alice.ask('test "$(ls -d /sys/block/sd* | wc -l)" = 3')).toBe(true);
  });

  it('root in the desktop cannot change a layer', async () => {
    expect(await alice.ask('sudo dd if=/dev/zero of=/dev/sda bs=4096 count=1 conv=fsync')).toBe(false);
    expect(await alice.ask('sudo mount -o remount,rw /run/extensions/calculator')).toBe(false);
    expect(await alice.ask('sudo rm -f /run/extensions/calculator/usr/bin/galculator')).toBe(false);
  });

  it('what root changes is gone after a clean restart, and nobody else sees it; notes are kept', async () => {
    const before = await alice.desktopId();
    const spoil = 'sudo systemd-sysext unmerge && echo exit | sudo tee /usr/bin/galculator /usr/bin/nano /etc/spoiled';
    expect(await alice.ask(spoil)).toBe(true);
    await alice.restartClean();
    await alice.connected(before);
    await untilApp(alice, 'calculator', 'ready');
    await alice.hideBar();
    await alice.openTerminal();
    const isClean =
      'test ! -e /etc/spoiled && test $(stat -Lc %s /usr/bin/galculator) -gt 9 -a $(stat -Lc %s /usr/bin/nano) -gt 9';
    expect(await alice.ask(isClean)).toBe(true);
    expect(await alice.ask(HAS_NOTE)).toBe(true);
    const bob = await DesktopPage.open(browser, goldleaf.url);
    await bob.signIn('bob');
    await bob.openPool('call-center');
    await untilApp(bob, 'calculator', 'ready');
    await bob.hideBar();
    await bob.openTerminal();
    expect(await bob.ask(isClean)).toBe(true);
    expect(await bob.ask(HAS_NOTE)).toBe(false);
    await bob.logOff();
    await bob.close();
  });

  it('an application goes on when Goldleaf is killed and started again', async () => {
    await goldleaf.kill();
    await goldleaf.start();
    await ivan.signIn();
    await alice.connected();
    // Nothing of it is in the guest's page cache: what comes has to be read through the new server.
    expect(await alice.ask('echo 3 | sudo tee /proc/sys/vm/drop_caches && galculator --help')).toBe(true);
  });

  it('withdrawn and assigned on demand while she works, it leaves, and comes at its first start from the menu', async () => {
    await ivan.call('DELETE', '/apps/calculator/assignments/call-center?now=true');
    await until('it has left', async () => alice.ask('! test -e /usr/bin/galculator && ! pgrep -x galculator'));
    await ivan.call('PUT', '/apps/calculator/assignments/call-center', { mode: 'on-demand', now: true });
    await untilApp(alice, 'calculator', 'on-demand');
    await alice.hideBar();
    // What the entry in the menu does.
    expect(
      await alice.ask('! test -e /usr/bin/galculator && /usr/lib/goldleaf/ask-for-app calculator galculator.desktop'),
    ).toBe(true);
    await untilApp(alice, 'calculator', 'ready');
    await alice.hideBar();
    await until('it runs', async () => alice.ask('pgrep -x galculator'));
  });

  it('a layer that was tampered with is refused, and the logon succeeds all the same', async () => {
    await ivan.call('PUT', '/apps/calculator/assignments/call-center', { mode: 'at-logon' });
    const { versions } = await app('call-notes');
    await alice.logOff();
    await goldleaf.stop();
    const chunks = await tamperWithVolume(join(goldleaf.stateDir, 'store'), versions[0]?.volumeId ?? '');
    expect(chunks).toBeGreaterThan(0);
    // What this host has read before was verified then, and is its own copy.
    await rm(join(goldleaf.stateDir, 'chunk-cache'), { recursive: true });
    await goldleaf.start();
    await ivan.signIn();
    const again = await DesktopPage.open(browser, goldleaf.url);
    await again.signIn('alice');
    await again.openPool('call-center');
    await again.byId('app-failure').waitFor({ timeout: APP_TIMEOUT_MS });
    await untilApp(again, 'call-notes', 'failed');
    await untilApp(again, 'calculator', 'ready');
    await again.hideBar();
    await again.openTerminal();
    expect(await again.ask('test -x /usr/bin/galculator && ! sudo test -e /run/extensions/call-notes')).toBe(true);
    const after = await app('call-notes');
    expect(after.versions[0]?.state).toBe('damaged');
    const metrics = await (await fetch(`${goldleaf.url}/metrics`)).text();
    expect(metrics).toMatch(/goldleaf_app_failures_total\{[^}]*app="call-notes"[^}]*\} [1-9]/);
  });
});
