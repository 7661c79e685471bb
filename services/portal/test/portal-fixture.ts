import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { FakeGoldleaf } from './fake-goldleaf.js';
import { buildPortal, launchBrowser } from './portal-browser.js';

/** Where screenshots go, for people; none are made without it. */
const screenshotFolder = process.env.PORTAL_SCREENSHOTS;
const patienceMs = 10_000;
const sizes = [
  { width: 1024, height: 768 },
  { width: 1280, height: 800 },
] as const;

/** The built portal in Chromium, in front of a fake broker and gateway. A new page for every test. */
export class PortalFixture {
  readonly patienceMs = patienceMs;
  fake!: FakeGoldleaf;
  origin = '';
  context!: BrowserContext;
  page!: Page;
  private browser: Browser | undefined;
  private built: Awaited<ReturnType<typeof buildPortal>> | undefined;
  private complaints: string[] = [];

  /** Sets it up and takes it down with the tests of the file that calls this. */
  static forThisFile(): PortalFixture {
    const fixture = new PortalFixture();
    beforeAll(() => fixture.start(), 120_000);
    afterAll(() => fixture.stop());
    beforeEach(() => fixture.openPage());
    afterEach(() => fixture.closePage());
    return fixture;
  }

  at(testId: string): Locator {
    return this.page.locator(`[data-testid="${testId}"]`);
  }

  async signIn(password = 'alice-demo'): Promise<void> {
    await this.at('username').fill('alice');
    await this.at('password').fill(password);
    await this.at('password').press('Enter');
  }

  async openDesktop(): Promise<void> {
    await this.page.goto(this.origin);
    await this.signIn();
    await this.at('open-call-center').click();
    await this.connected();
  }

  /** The desktop is drawn and nothing lies over it. */
  async connected(): Promise<void> {
    await this.page.locator('[data-testid=desktop][data-connected=true]:not(.desktop-covered)').waitFor();
  }

  async openBar(panel?: 'apps' | 'restart-clean' | 'clipboard'): Promise<void> {
    if ((await this.at('bar').count()) === 0) await this.at('bar-handle').click();
    await this.at('bar').waitFor();
    if (!panel) return;
    await this.at(panel).click();
    await this.page.locator('.bar-panel').waitFor();
  }

  /** Waits until `what` gives `wanted`; fails with the difference. */
  async until(what: () => unknown, wanted: unknown): Promise<void> {
    const deadlineMs = Date.now() + patienceMs;
    for (;;) {
      const value = await what();
      if (JSON.stringify(value) === JSON.stringify(wanted)) return;
      if (Date.now() > deadlineMs) expect(value).toEqual(wanted);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  focusedTestId(): Promise<string | null | undefined> {
    return this.page.evaluate(() => document.activeElement?.getAttribute('data-testid'));
  }

  /** Pictures of the page in the usual sizes, where `PORTAL_SCREENSHOTS` names a folder. */
  async shoot(name: string): Promise<void> {
    if (!screenshotFolder) return;
    await mkdir(screenshotFolder, { recursive: true });
    for (const size of sizes) {
      await this.page.setViewportSize(size);
      await this.page.waitForTimeout(700); // animations over; only when people want pictures
      await this.page.screenshot({ path: path.join(screenshotFolder, `${name}-${size.width}.png`) });
    }
    await this.page.setViewportSize(sizes[0]);
  }

  private async start(): Promise<void> {
    this.built = await buildPortal();
    this.fake = new FakeGoldleaf(this.built.folder);
    this.origin = await this.fake.start();
    this.browser = await launchBrowser();
  }

  private async stop(): Promise<void> {
    await this.browser?.close();
    await this.fake?.stop();
    await this.built?.remove();
  }

  private async openPage(): Promise<void> {
    this.fake.reset();
    this.complaints = [];
    if (!this.browser) throw new Error('the browser did not start');
    this.context = await this.browser.newContext({ viewport: sizes[0] });
    this.page = await this.context.newPage();
    this.page.setDefaultTimeout(patienceMs);
    this.page.on('pageerror', (error) => this.complaints.push(String(error)));
    this.page.on('console', (message) => {
      if (/Content Security Policy/.test(message.text())) this.complaints.push(message.text());
    });
  }

  private async closePage(): Promise<void> {
    await this.context.close();
    expect(this.complaints).toEqual([]);
  }
}
