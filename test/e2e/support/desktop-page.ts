import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { repository } from './repository.js';
import { until } from './until.js';

const countPixels = readFileSync(join(repository, 'test/e2e/support/count-pixels.js'), 'utf8');

interface Pixels {
  /** How many different ones. */
  readonly colours: number;
  /** Colours (0xRRGGBB) that cover a large area, and how many pixels. */
  readonly areas: readonly (readonly [colour: number, pixels: number])[];
}

/** Levels of the 6x6x6 colour cube of terminals. */
const LEVELS = [0x00, 0x5f, 0x87, 0xaf, 0xd7, 0xff];

/** A yes and a no that no question before had: what is still on the screen is never taken for an answer. */
function answerColours(question: number) {
  const level = question % LEVELS.length;
  const blue = LEVELS[level] ?? 0;
  return {
    yes: { index: 16 + 6 * 5 + level, rgb: 0x00ff00 | blue },
    no: { index: 16 + 36 * 5 + level, rgb: 0xff0000 | blue },
  };
}

/** Fills the terminal with a colour of its palette. */
const FILL = 'f(){ printf "\\e[48;5;$1m\\e[2J\\e[H";}';

/** A fast typist; a guest that gets no processor for longer than 16 keys take drops some. */
const KEY_DELAY_MS = 40;

/** Of the golden image's terminal. */
const TERMINAL_BACKGROUND = 0x0f2429;

/** Room for a machine that has to be booted under software emulation on a busy host. */
const DESKTOP_TIMEOUT_MS = 180_000;

/** What a person does with the portal and the desktop in it. */
export class DesktopPage {
  private questions = 0;

  private constructor(
    readonly page: Page,
    private readonly context: BrowserContext,
  ) {}

  static async open(browser: Browser, url: string, size = { width: 1024, height: 768 }): Promise<DesktopPage> {
    const context = await browser.newContext({ viewport: size });
    const page = await context.newPage();
    await page.goto(url);
    return new DesktopPage(page, context);
  }

  async signIn(username: string, password = `${username}-demo`): Promise<void> {
    await this.byId('username').fill(username);
    await this.byId('password').fill(password);
    await this.byId('sign-in').click();
  }

  async openPool(name: string): Promise<void> {
    await this.byId(`open-${name}`).click();
    await this.connected();
  }

  /** Waits for a desktop other than `previous` that is connected and drawn. @returns its id */
  async connected(previous?: string): Promise<string> {
    const id = await this.await(
      `a connected desktop${previous ? ` other than ${previous}` : ''}`,
      async () => {
        const desktop = this.byId('desktop');
        if ((await desktop.getAttribute('data-connected', { timeout: 1_000 })) !== 'true') return undefined;
        const current = await desktop.getAttribute('data-desktop-id');
        return current && current !== previous ? current : undefined;
      },
      DESKTOP_TIMEOUT_MS,
    );
    // A drawn desktop has a wallpaper, a panel, letters: far more colours than a blank or a text screen.
    await this.await('a drawn desktop', async () => (await this.pixels()).colours > 200, DESKTOP_TIMEOUT_MS);
    return id;
  }

  /** Where the picture of the desktop is, in pixels of the page; scaled, it does not fill the page. */
  picture() {
    return this.page.locator('[data-testid=desktop] .guest:not(.guest-undrawn) > div').boundingBox();
  }

  async desktopId(): Promise<string> {
    return (await this.byId('desktop').getAttribute('data-desktop-id')) ?? '';
  }

  /** Opens a terminal and waits until it is drawn. */
  async openTerminal(): Promise<void> {
    await this.byId('desktop').click({ position: { x: 500, y: 600 } });
    const isDrawn = async () => {
      const { areas } = await this.pixels();
      return areas.some(([colour, pixels]) => colour === TERMINAL_BACKGROUND && pixels > 200_000);
    };
    // A desktop that was booted a moment ago may lose its first keys.
    await this.await(
      'a terminal',
      async () => {
        await this.page.keyboard.press('Control+Alt+t');
        return until('a terminal soon', isDrawn, 15_000);
      },
      120_000,
    );
    // Typed too early, a line is lost or cut: Ctrl+C clears what there is of it. Not at once: a shell that still reads its
    // settings would leave out the rest of them.
    let isAgain = false;
    await this.await(
      'a prompt',
      async () => {
        if (isAgain) await this.page.keyboard.press('Control+c');
        isAgain = true;
        await this.type(FILL);
        return this.ask('true', 15_000);
      },
      120_000,
    );
  }

  /** Runs a shell command in the terminal, which takes one colour when it succeeds and another when it fails. */
  async ask(command: string, timeoutMs = 90_000): Promise<boolean> {
    const { yes, no } = answerColours(this.questions++);
    await this.type(`(${command})&&f ${yes.index}||f ${no.index}`);
    return this.await(
      `an answer to: ${command}`,
      async () => {
        const { areas } = await this.pixels();
        const filled = areas.find(([colour]) => colour === yes.rgb || colour === no.rgb);
        return filled && { answer: filled[0] === yes.rgb };
      },
      timeoutMs,
    ).then(({ answer }) => answer);
  }

  async type(line: string): Promise<void> {
    await this.page.keyboard.type(line, { delay: KEY_DELAY_MS });
    await this.page.keyboard.press('Enter');
  }

  async restartClean(): Promise<void> {
    await this.byId('bar-handle').click();
    await this.byId('restart-clean').click();
    await this.byId('confirm-restart').click();
  }

  /** Opens the session's list of applications. */
  async showApps(): Promise<void> {
    if ((await this.byId('bar').count()) === 0) await this.byId('bar-handle').click({ timeout: 5_000 });
    if ((await this.byId('apps-panel').count()) === 0) await this.byId('apps').click({ timeout: 5_000 });
  }

  async hideBar(): Promise<void> {
    if ((await this.byId('bar').count()) === 0) return;
    for (const panelThenBar of ['apps-panel', 'bar']) {
      if ((await this.byId(panelThenBar).count()) === 0) continue;
      await this.byId('log-off').focus();
      await this.page.keyboard.press('Escape');
    }
    await this.byId('bar').waitFor({ state: 'detached' });
  }

  async logOff(): Promise<void> {
    if ((await this.byId('bar').count()) === 0) await this.byId('bar-handle').click();
    await this.byId('log-off').click();
    await this.byId('desktop').waitFor({ state: 'detached' });
  }

  async close(): Promise<void> {
    await this.context.close();
  }

  /** Waits for a condition; when it does not come, a picture of the page tells why. */
  private async await<T>(
    what: string,
    condition: () => Promise<T | undefined | false>,
    timeoutMs?: number,
  ): Promise<T> {
    return until(what, condition, timeoutMs).catch(async (error: unknown) => {
      const path = join(tmpdir(), `goldleaf-failed-${Date.now()}.png`);
      await this.page.screenshot({ path });
      throw new Error(`${what}; see ${path}`, { cause: error });
    });
  }

  byId(id: string) {
    return this.page.getByTestId(id);
  }

  /** What the canvas of the desktop shows. */
  async pixels(): Promise<Pixels> {
    return this.page.evaluate<Pixels>(countPixels);
  }
}
