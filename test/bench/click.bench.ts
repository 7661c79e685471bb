import { loadavg } from 'node:os';
import type { Browser } from 'playwright-core';
import { startBrowser } from '../e2e/support/browser.js';
import { DesktopPage } from '../e2e/support/desktop-page.js';
import { Goldleaf } from '../e2e/support/goldleaf.js';
import { type BenchReport, type BenchRow, comparedRow, describeMachine, plainRow } from './bench-report.js';
import { type BareFork, bareForks } from './click/bare-fork.js';
import { ClickRecorder } from './click/click-marks.js';
import { ItDesk } from './click/it-desk.js';
import { type MeasuredClick, measureClick } from './click/measured-click.js';
import { quantileRows } from './quantiles.js';

const CLICKS = Number(process.env.CLICKS ?? 10);
const SPARES = 2;
const BOOT_TIMEOUT_MS = 240_000;
const WARM_TARGET_MS = 1_000;
const ON_DEMAND_TARGET_MS = 2_000;

interface Measured {
  readonly bare: readonly BareFork[];
  readonly warm: readonly MeasuredClick[];
  readonly onDemand: readonly MeasuredClick[];
  readonly starts: readonly number[];
  readonly loads: readonly number[];
}

/**
 * The whole system with real machines and Chromium: from the click on a pool in the portal until the desktop's pixels
 * are on the canvas, with a warm spare and with a machine that is forked for the click; what each part of it takes; and
 * the same machines without Goldleaf. Baseline of the starts: the first.
 */
export async function run(): Promise<BenchReport> {
  const loads = [load()];
  const bare = await bareForks(CLICKS);
  loads.push(load());
  const measured = await clicks(loads);
  return { name: 'click', machine: describeMachine(), rows: rowsOf({ bare, ...measured, loads }) };
}

const load = (): number => loadavg()[0] ?? Number.NaN;

async function clicks(loads: number[]): Promise<Pick<Measured, 'warm' | 'onDemand' | 'starts'>> {
  const goldleaf = await Goldleaf.prepare();
  let browser: Browser | undefined;
  try {
    const starts = [await seconds(() => goldleaf.start())];
    browser = await startBrowser();
    const it = await ItDesk.signIn(goldleaf);
    const page = await DesktopPage.open(browser, goldleaf.url);
    const recorder = await ClickRecorder.install(page);
    await page.signIn('alice');
    await page.byId('pool-call-center').waitFor();
    const series = async (spares: number): Promise<MeasuredClick[]> => {
      const found: MeasuredClick[] = [];
      // The first finds nothing in the caches of the browser and of the services.
      for (let n = 0; n <= CLICKS; n += 1) {
        await it.untilQuiet(spares, BOOT_TIMEOUT_MS);
        found.push(await measureClick(page, recorder, it));
        await logOff(page);
      }
      loads.push(load());
      return found.slice(1);
    };
    // The spares are forked: once they are there, so is the parent.
    const warm = await series(SPARES);
    await it.setSpares(0);
    const onDemand = await series(0);
    await browser.close();
    await goldleaf.stop();
    starts.push(await seconds(() => goldleaf.start()));
    return { warm, onDemand, starts };
  } finally {
    await browser?.close();
    await goldleaf.remove();
  }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1_000;
}

async function logOff(page: DesktopPage): Promise<void> {
  await page.byId('bar-handle').click();
  await page.byId('log-off').click();
  await page.byId('pool-call-center').waitFor();
}

function rowsOf({ bare, warm, onDemand, starts, loads }: Measured): BenchRow[] {
  const totals = (found: readonly MeasuredClick[]) => found.map(({ totalMs }) => totalMs);
  // A guest that computes leaves its processor to nobody: what is beyond that is everybody else's.
  const beyond = onDemand.map(({ totalMs, processor }) => totalMs - (processor?.guestMs ?? 0));
  const [firstStart = Number.NaN, secondStart = Number.NaN] = starts;
  return [
    ...quantileRows('(a) warm spare: click to drawn desktop', totals(warm), WARM_TARGET_MS),
    ...stageRows('(a)', warm),
    ...meanRows('(a)', warm),
    ...quantileRows('(b) forked on demand: click to drawn desktop', totals(onDemand)),
    ...quantileRows('(b) beyond what the guest itself computes', beyond, ON_DEMAND_TARGET_MS),
    ...stageRows('(b)', onDemand),
    ...meanRows('(b)', onDemand),
    ...quantileRows('(b) driver: start_ms', numbers(onDemand.map(({ start }) => start?.durationMs))),
    plainRow('(b) machines that booted instead', onDemand.filter(({ start }) => start?.method !== 'fork').length, ''),
    ...quantileRows('(b) the guest computes, fork to drawn', numbers(onDemand.map((each) => each.processor?.guestMs))),
    ...quantileRows('(b) QEMU itself computes', numbers(onDemand.map((each) => each.processor?.hostMs))),
    ...quantileRows('bare fork: to running', numbers(bare.map((each) => each.forkMs))),
    ...quantileRows('bare fork: identity', numbers(bare.map((each) => each.identityMs))),
    ...quantileRows('bare fork: guacd to first picture', numbers(bare.map((each) => each.pictureMs))),
    ...quantileRows('bare fork: all', numbers(bare.map((each) => each.forkMs + each.identityMs + each.pictureMs))),
    ...quantileRows('bare fork: the guest computes', numbers(bare.map((each) => each.processor?.guestMs))),
    plainRow('first start, image built before', firstStart, 's'),
    comparedRow('second start', secondStart, 's', firstStart),
    ...['before', 'after the bare forks', 'after (a)', 'after (b)'].map((when, at) =>
      plainRow(`load average ${when}`, loads[at] ?? Number.NaN, ''),
    ),
  ];
}

const numbers = (values: readonly (number | undefined)[]): number[] => values.filter((value) => value !== undefined);

function stageRows(name: string, found: readonly MeasuredClick[]): BenchRow[] {
  const stages = new Set(found.flatMap((each) => Object.keys(each.stages)));
  return [...stages].flatMap((stage) =>
    quantileRows(`${name}   … ${stage}`, numbers(found.map((each) => each.stages[stage]))),
  );
}

/** Processor times are counted in hundredths of a second: only their mean says something. */
function meanRows(name: string, found: readonly MeasuredClick[]): BenchRow[] {
  const mean = (of: (each: MeasuredClick) => number) => found.reduce((sum, each) => sum + of(each), 0) / found.length;
  const programs = [...new Set(found.flatMap((each) => Object.keys(each.programs)))]
    .map((program) => ({ program, ms: mean((each) => each.programs[program] ?? 0) }))
    .filter(({ ms }) => ms >= 1);
  return [
    plainRow(
      `${name} processor time of a click, mean`,
      programs.reduce((sum, { ms }) => sum + ms, 0),
      'ms',
    ),
    ...programs.map(({ program, ms }) => plainRow(`${name}   of it, ${program}`, ms, 'ms')),
    ...(['images', 'frames', 'bytes'] as const).map((what) =>
      plainRow(
        `${name} sent to the browser until drawn, ${what}, mean`,
        mean(({ browser }) => browser[what]),
        '',
      ),
    ),
    plainRow(
      `${name} repaints from its frame to drawn, mean`,
      mean(({ browser }) => browser.repaints),
      '',
    ),
  ];
}
