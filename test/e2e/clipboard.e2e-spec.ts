import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { startBrowser } from './support/browser.js';
import { DesktopPage } from './support/desktop-page.js';
import { Goldleaf } from './support/goldleaf.js';
import { until } from './support/until.js';

/** `Grüße €5 😀`, as a shell that is typed into in ASCII can say it. */
const COPIED = 'Grüße €5 😀';
const COPIED_ESCAPED = String.raw`Gr\xc3\xbc\xc3\x9fe \xe2\x82\xac5 \xf0\x9f\x98\x80`;
const SENT = 'zurück: 漢字 😀';
const SENT_ESCAPED = String.raw`zur\xc3\xbcck: \xe6\xbc\xa2\xe5\xad\x97 \xf0\x9f\x98\x80`;

describe('the clipboard', () => {
  let goldleaf: Goldleaf;
  let browser: Browser;
  let alice: DesktopPage;

  beforeAll(async () => {
    goldleaf = await Goldleaf.prepareUsed();
    await goldleaf.start();
    browser = await startBrowser();
    alice = await DesktopPage.open(browser, goldleaf.url);
    await alice.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await alice.signIn('alice');
    await alice.openPool('call-center');
    await alice.openTerminal();
    // Started after the desktop, so as not to delay it.
    expect(await alice.ask('until pgrep -x spice-vdagent; do sleep 0.5; done', 60_000)).toBe(true);
  });

  afterAll(async () => {
    await browser?.close();
    await goldleaf?.remove();
  });

  const browserClipboard = () => alice.page.evaluate<string>('navigator.clipboard.readText()');
  const openBox = async () => {
    await alice.byId('bar-handle').click();
    await alice.byId('clipboard').click();
    return alice.byId('clipboard-box');
  };
  const holds = (escaped: string) => `test "$(xclip -o -sel c)" = "$(printf '${escaped}')"`;

  it('has in the browser what was copied in the desktop', async () => {
    expect(await alice.ask(`printf '${COPIED_ESCAPED}' | xclip -sel c`)).toBe(true);
    await until('the text in the browser', async () => (await browserClipboard()) === COPIED);
    const box = await openBox();
    expect(await box.inputValue()).toBe(COPIED);
  });

  it('has in the desktop what was sent from the box', async () => {
    await alice.byId('clipboard-box').fill(SENT);
    await alice.byId('clipboard-send').click();
    expect(await alice.ask(`until ${holds(SENT_ESCAPED)}; do sleep 0.2; done`)).toBe(true);
    // The browser's own text is not given back to it.
    expect(await browserClipboard()).toBe(COPIED);
  });

  it('pastes what was copied in the browser with the paste key, and copies it back', async () => {
    await alice.page.evaluate("navigator.clipboard.writeText('over and\\n')");
    await alice.type('read -r line; echo "$line back" | xclip -sel c');
    await alice.page.keyboard.press('Shift+Insert');
    await until('the text in the browser', async () => (await browserClipboard()).includes('over and back'));
  });
});
