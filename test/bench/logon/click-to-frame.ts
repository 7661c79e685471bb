import type { Browser } from 'playwright-core';
import { loginResponseSchema, poolViewSchema } from '#libs/contracts';
import { startBrowser } from '../../e2e/support/browser.js';
import { DesktopPage } from '../../e2e/support/desktop-page.js';
import { Goldleaf } from '../../e2e/support/goldleaf.js';
import { until } from '../../e2e/support/until.js';
import { type BenchRow, comparedRow, plainRow } from '../bench-report.js';

const WARM_CLICKS = 7;
const BOOT_TIMEOUT_MS = 240_000;

const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
};

/** The whole system: its starts, and from the click on a pool to the drawn desktop, warm against booted. */
export async function clickToFrame(): Promise<BenchRow[]> {
  const goldleaf = await Goldleaf.prepare();
  let browser: Browser | undefined;
  try {
    const firstStart = await seconds(() => goldleaf.start());
    browser = await startBrowser();
    const token = await signInAsIt(goldleaf);
    const page = await DesktopPage.open(browser, goldleaf.url);
    await page.signIn('alice');
    await page.byId('pool-call-center').waitFor();
    // Nothing is warm yet: the click waits for a machine to boot.
    const booted = await seconds(() => page.openPool('call-center'));
    const warm: number[] = [];
    for (let click = 0; click < WARM_CLICKS; click += 1) {
      await logOff(page);
      await until('two quiet spares', () => hasSpares(goldleaf, token, 2), BOOT_TIMEOUT_MS);
      warm.push(await seconds(() => page.openPool('call-center')));
    }
    warm.sort((a, b) => a - b);
    await browser.close();
    await goldleaf.stop();
    const secondStart = await seconds(() => goldleaf.start());
    const median = warm[Math.floor(warm.length / 2)] ?? Number.NaN;
    return [
      comparedRow('click to drawn desktop, warm spare, p50', median, 's', booted),
      comparedRow('click to drawn desktop, warm spare, slowest', warm.at(-1) ?? Number.NaN, 's', booted),
      plainRow('first start, image built before', firstStart, 's'),
      comparedRow('second start', secondStart, 's', firstStart),
    ];
  } finally {
    await browser?.close();
    await goldleaf.remove();
  }
}

async function logOff(page: DesktopPage): Promise<void> {
  await page.byId('bar-handle').click();
  await page.byId('log-off').click();
  await page.byId('pool-call-center').waitFor();
}

/** Asks as IT: the metrics are some seconds old. */
async function signInAsIt(goldleaf: Goldleaf): Promise<string> {
  const answer = await fetch(`${goldleaf.url}/api/v1/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'ivan', password: 'ivan-demo' }),
  });
  return loginResponseSchema.parse(await answer.json()).token;
}

async function hasSpares(goldleaf: Goldleaf, token: string, count: number): Promise<boolean> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${goldleaf.url}/api/v1/pools/call-center`, { headers });
  const { counts } = poolViewSchema.parse(await answer.json());
  return counts.available === count && counts.provisioning === 0 && counts.recycling === 0;
}
