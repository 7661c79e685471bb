import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { z } from 'zod';
import { profileVersionViewSchema } from '#libs/contracts';
import { ApiPerson } from './support/api-person.js';
import { startBrowser } from './support/browser.js';
import { DesktopPage } from './support/desktop-page.js';
import { Goldleaf } from './support/goldleaf.js';
import { until } from './support/until.js';

/** On the desktop's own disk. */
const LEFT = '/var/tmp/left-behind';

describe('the roaming profile', () => {
  let goldleaf: Goldleaf;
  let browser: Browser;
  let alice: DesktopPage;
  let ivan: ApiPerson;

  beforeAll(async () => {
    goldleaf = await Goldleaf.prepareUsed();
    await goldleaf.start();
    browser = await startBrowser();
    ivan = new ApiPerson(goldleaf.url, 'ivan');
    await ivan.signIn();
    alice = await DesktopPage.open(browser, goldleaf.url);
    await alice.signIn('alice');
    await alice.openPool('call-center');
    await alice.openTerminal();
  });
  afterAll(async () => {
    await browser?.close();
    await goldleaf?.remove();
  });

  const versions = async () =>
    z.array(profileVersionViewSchema).parse(await ivan.call('GET', '/profiles/alice/volumes/work/versions'));
  const reasons = async () => (await versions()).map(({ reason }) => reason);
  const begin = async (page: DesktopPage, pool = 'call-center') => {
    await page.openPool(pool);
    await page.openTerminal();
  };
  const has = (text: string, page = alice) => page.ask(`grep -qx "${text}" ~/letter`);

  it('a file and a setting are there on the next desktop, and nothing else is', async () => {
    const before = await alice.desktopId();
    expect(await alice.ask(`echo one > ~/letter; mkdir -p ~/.cache; touch ~/.cache/junk ${LEFT}`)).toBe(true);
    // What a shell does at its start; a key that was lost on the way would not be the profile's fault.
    const setting = 'echo "touch /tmp/set" >> ~/.bashrc; bash -ic true; test -e /tmp/set';
    await until('a setting', () => alice.ask(setting), 120_000);
    await alice.logOff();
    await until('a version', async () => (await reasons())[0] === 'log-off');
    expect((await versions())[0]).toMatchObject({ isClean: true, isNewest: true });
    await begin(alice);
    expect(await alice.desktopId()).not.toBe(before);
    expect(await has('one')).toBe(true);
    // A shell that was started from the menu reads it, so its home is the profile.
    expect(await alice.ask('test -e /tmp/set')).toBe(true);
    expect(await alice.ask(`test -e ${LEFT} -o -e ~/.cache/junk`)).toBe(false);
  });

  it('a clean restart keeps it and drops the rest; so does a reboot from inside', async () => {
    expect(await alice.ask(`echo two > ~/letter; touch ${LEFT}`)).toBe(true);
    let before = await alice.desktopId();
    await alice.restartClean();
    await alice.connected(before);
    await alice.openTerminal();
    expect(await has('two')).toBe(true);
    expect(await alice.ask(`test -e ${LEFT}`)).toBe(false);
    before = await alice.desktopId();
    expect(await alice.ask('echo three > ~/letter')).toBe(true);
    await alice.type('reboot');
    await alice.connected(before);
    await alice.openTerminal();
    expect(await has('three')).toBe(true);
  });

  it('goes on when everything but the machines is killed, and keeps what was written around it', async () => {
    const before = await alice.desktopId();
    await goldleaf.kill();
    await goldleaf.start();
    expect(await alice.connected()).toBe(before);
    expect(await alice.ask('echo four > ~/letter; test -e ~/.bashrc')).toBe(true);
    await alice.logOff();
    await begin(alice);
    expect(await has('four')).toBe(true);
  });

  it('is saved when nobody looks any more, so that a machine that is killed then loses nothing', async () => {
    expect(await alice.ask('echo five > ~/letter')).toBe(true);
    const desktop = await alice.desktopId();
    await alice.close();
    await until('a version', async () => (await reasons())[0] === 'disconnect');
    await promisify(execFile)('pkill', ['-KILL', '-f', `qemu-system.*${desktop}`]);
    alice = await DesktopPage.open(browser, goldleaf.url);
    await alice.signIn('alice');
    await alice.byId('open-call-center').click();
    await alice.connected(desktop);
    await alice.openTerminal();
    expect(await has('five')).toBe(true);
  });

  it('follows its person to a second pool in a second browser; the first is told why it ended', async () => {
    const [pool] = z
      .array(z.object({ name: z.string(), image: z.string(), profile: z.unknown() }))
      .parse(await ivan.call('GET', '/pools'));
    const second = { name: 'second', displayName: 'Second', image: pool?.image, profile: pool?.profile };
    await ivan.call('POST', '/pools', { ...second, roles: ['call-center'], spares: 1, max: 4, memoryMiB: 1024 });
    expect(await alice.ask('echo six > ~/letter')).toBe(true);
    const elsewhere = await DesktopPage.open(browser, goldleaf.url);
    await elsewhere.signIn('alice');
    await begin(elsewhere, 'second');
    expect(await has('six', elsewhere)).toBe(true);
    await until('the first window has ended', async () => (await alice.byId('desktop').count()) === 0);
    expect(await reasons()).toContain('roamed');
    await elsewhere.logOff();
    await elsewhere.close();
  });

  it('an older version comes back as a new one', async () => {
    const wanted = (await versions()).find(({ reason }) => reason === 'disconnect');
    await until('nobody writes it', async () => {
      const [volume] = z
        .array(z.object({ heldBy: z.unknown() }))
        .parse(await ivan.call('GET', '/profiles/alice/volumes'));
      return volume?.heldBy === null;
    });
    await ivan.call('POST', `/profiles/alice/volumes/work/versions/${wanted?.number}/restore`);
    await until('the version is put back', async () => (await reasons())[0] === 'restored');
    await alice.page.goto(goldleaf.url);
    await begin(alice);
    expect(await has('five')).toBe(true);
  });
});
