import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Browser, chromium, type Page } from 'playwright-core';

const repository = path.resolve(import.meta.dirname, '../../..');

/** Builds the portal into a folder of its own, so that the tests see the present source. */
export async function buildPortal(): Promise<{ folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'goldleaf-portal-'));
  const vite = path.join(repository, 'node_modules/vite/bin/vite.js');
  const config = path.join(repository, 'services/portal/vite.config.ts');
  const { NODE_OPTIONS: _, ...environment } = process.env;
  // Jest's NODE_ENV would give React's development build.
  const env = { ...environment, NODE_ENV: 'production' };
  await promisify(execFile)(process.execPath, [vite, 'build', '--config', config, '--outDir', folder], { env });
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  });
}

/** The colour of one pixel of the drawn desktop, in guest coordinates. */
export function pixelAt(page: Page, x: number, y: number): Promise<number[] | null> {
  return page.evaluate(
    ([column = 0, row = 0]) => {
      for (const canvas of Array.from(document.querySelectorAll<HTMLCanvasElement>('[data-testid=desktop] canvas'))) {
        const data = canvas.width > 300 ? canvas.getContext('2d')?.getImageData(column, row, 1, 1).data : undefined;
        if (data) return Array.from(data.slice(0, 3));
      }
      return null;
    },
    [x, y],
  );
}
