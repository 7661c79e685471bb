import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { until } from './until.js';

const countPixels = readFileSync(join(import.meta.dirname, 'count-pixels.js'), 'utf8');

/** Colours that a terminal can be made to show as its answer. */
export type Answer = 'red' | 'green';

interface Pixels {
  readonly colours: number;
  readonly red: number;
  readonly green: number;
}

/** Room for a machine that has to be booted under software emulation on a busy host. */
const DESKTOP_TIMEOUT_MS = 180_000;

/** What a person does with the portal and the desktop in it. */
export class DesktopPage {
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
    const id = await until(
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
    await until('a drawn desktop', async () => (await this.pixels()).colours > 200, DESKTOP_TIMEOUT_MS);
    return id;
  }

  async desktopId(): Promise<string> {
    return (await this.byId('desktop').getAttribute('data-desktop-id')) ?? '';
  }

  /** Opens a terminal and waits until it is drawn. */
  async openTerminal(): Promise<void> {
    await this.byId('desktop').click({ position: { x: 500, y: 600 } });
    await until(
      'a terminal',
      async () => {
        await this.page.keyboard.press('Control+Alt+t');
        return until('green', () => this.answers('true'), 20_000);
      },
      60_000,
    );
  }

  /** Runs a shell command in the terminal; its success turns the terminal green, its failure red. */
  async ask(command: string): Promise<Answer> {
    await this.type(`(${command}) && printf '\\e[42m\\e[2J' || printf '\\e[41m\\e[2J'`);
    return until(`an answer to: ${command}`, async () => {
      const { red, green } = await this.pixels();
      if (green > 20_000) return 'green' as const;
      return red > 20_000 ? ('red' as const) : undefined;
    });
  }

  async type(line: string): Promise<void> {
    await this.page.keyboard.type(line, { delay: 15 });
    await this.page.keyboard.press('Enter');
  }

  async restartClean(): Promise<void> {
    await this.byId('bar-handle').click();
    await this.byId('restart-clean').click();
    await this.byId('confirm-restart').click();
  }

  async close(): Promise<void> {
    await this.context.close();
  }

  byId(id: string) {
    return this.page.getByTestId(id);
  }

  private async answers(command: string): Promise<boolean> {
    return (await this.ask(command)) === 'green';
  }

  /** Counts what the canvas of the desktop shows. */
  async pixels(): Promise<Pixels> {
    return this.page.evaluate<Pixels>(countPixels);
  }
}
