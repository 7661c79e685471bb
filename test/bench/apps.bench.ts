import { randomUUID } from 'node:crypto';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { loadOrCreateSigningKey, type SigningKey } from '#libs/app-layers';
import type { QemuDriver } from '#libs/hypervisor';
import { verifyImage } from '#libs/images';
import { AppHost } from './apps/app-host.js';
import { attachApp, bytesReadByGuest, type Desktop, detachApp, filesRead, startApp } from './apps/desktop-start.js';
import { LayerShelf, type ShelvedLayer } from './apps/layer-shelf.js';
import { type TapedRead, touchedBytes } from './apps/read-tape.js';
import { playAtOnce } from './apps/tape-players.js';
import { type BenchReport, type BenchRow, comparedRow, describeMachine, plainRow } from './bench-report.js';
import { ForkHost } from './fork/fork-host.js';
import { judged } from './fork/targets.js';
import { median, quantileRows } from './quantiles.js';

const MB = 1e6;
const MEMORY_MIB = 1536;
const READY_MS = 240_000;
/** The target is for layers beyond this. */
const LARGE_BYTES = 50 * MB;
const MAX_SHARE = 0.1;
const ATTACHES = 20;
const MAX_HOST_MS = 50;
const AT_ONCE = 10;
const CHUNK_KIB = [32, 64, 128, 256, 1024] as const;

interface Subject {
  readonly recipeDir: string;
  /** Title of the window that shows that it has started. */
  readonly window: RegExp;
}

const subjects: readonly Subject[] = [
  { recipeDir: 'infra/apps/spreadsheet', window: /Gnumeric/ },
  { recipeDir: 'test/bench/apps/recipes/text-recognition', window: /gImageReader/ },
  { recipeDir: 'test/bench/apps/recipes/office', window: /LibreOffice Calc/ },
];

/** Application layers in real desktops: what is fetched to logon and start, by the second desktop, by ten at once; how long it takes. */
export async function run(): Promise<BenchReport> {
  const forks = await ForkHost.open();
  try {
    const bench = await AppsBench.open(forks);
    const rows: BenchRow[] = [];
    const take = (found: readonly BenchRow[]): void => {
      rows.push(...found);
      for (const { what, value, unit, ratio } of found)
        process.stderr.write(`${what}: ${value} ${unit} ${ratio ?? ''}\n`);
    };
    for (const subject of subjects) take(await bench.starts(subject));
    take(await bench.attaches(subjects[0] as Subject));
    return { name: 'apps', machine: describeMachine(), rows };
  } finally {
    await forks.close();
  }
}

class AppsBench {
  private constructor(
    private readonly forks: ForkHost,
    private readonly driver: QemuDriver,
    private readonly shelf: LayerShelf,
    private readonly key: SigningKey,
  ) {}

  static async open(forks: ForkHost): Promise<AppsBench> {
    const dir = join(resolve(process.env.GOLDLEAF_STATE_DIR ?? '.goldleaf'), 'bench-apps');
    await mkdir(dir, { recursive: true });
    const key = await loadOrCreateSigningKey(join(dir, 'signing-key.pem'));
    const image = await verifyImage(join(forks.image.rootDiskPath, '..'));
    const driver = await forks.driver('apps', { forks: true, encryptLeaves: true });
    await forks.prepare(driver, MEMORY_MIB);
    return new AppsBench(forks, driver, new LayerShelf(dir, image, key), key);
  }

  /** A first desktop on a host that has nothing, a second one on the same host, and ten at once on another. */
  async starts({ recipeDir, window }: Subject): Promise<BenchRow[]> {
    const layer = await this.shelf.take(recipeDir);
    return this.onHost(async (host) => {
      const first = await this.onDesktop(host, async (desktop) => {
        await attachApp(desktop, layer);
        const atLogon = host.store.fetchedBytes;
        const start = await startApp(desktop, layer, window);
        if (process.argv.includes('--record')) await recordStartOrder(desktop, layer, recipeDir);
        return { atLogon, ...start, read: await bytesReadByGuest(desktop) };
      });
      const tape = [...host.tape];
      const second = await this.onDesktop(host, async (desktop) => {
        await attachApp(desktop, layer);
        return startApp(desktop, layer, window);
      });
      const { name } = layer;
      const share = (what: string, bytes: number) =>
        comparedRow(`${name}: ${what}`, bytes / MB, 'MB', layer.layerBytes / MB);
      const judgedShare = (row: BenchRow) =>
        layer.layerBytes > LARGE_BYTES ? judged(row, { of: 'ratio', atMost: MAX_SHARE }) : row;
      return [
        share('fetched to logon, against the layer', first.atLogon),
        judgedShare(share('fetched to logon and start until its window is there', first.atWindow)),
        judgedShare(share('fetched until nothing more came', first.settled)),
        share('of that, asked for by the guest', first.read),
        ...CHUNK_KIB.map((kib) =>
          share(`chunks of ${kib} KiB with anything that was read`, touchedBytes(tape, kib << 10, layer.layerBytes)),
        ),
        judged(plainRow(`${name}: fetched by a second desktop of the host`, second.settled - first.settled, 'B'), {
          atMost: 0,
        }),
        comparedRow(
          `${name}: start until its window, second desktop against first`,
          second.windowMs,
          'ms',
          first.windowMs,
        ),
        ...(await this.atOnce(layer, tape, first.settled)),
      ];
    });
  }

  /** Attaches, merges and lets go again and again. */
  async attaches({ recipeDir }: Subject): Promise<BenchRow[]> {
    const layer = await this.shelf.take(recipeDir);
    const times = await this.onHost((host) =>
      this.onDesktop(host, async (desktop) => {
        const found = [];
        for (let n = 0; n < ATTACHES; n++) {
          found.push(await attachApp(desktop, layer));
          await detachApp(desktop, layer);
        }
        return found;
      }),
    );
    const steps = Object.keys(times[0]?.guestMs ?? {}).filter((step) => step !== 'total');
    return [
      ...quantileRows(
        'attach: host side',
        times.map(({ hostMs }) => hostMs),
        MAX_HOST_MS,
      ),
      ...quantileRows(
        'attach to visible in the menu, whole',
        times.map(({ wholeMs }) => wholeMs),
      ),
      ...quantileRows(
        'of it, the guest by its own clock',
        times.map(({ guestMs }) => guestMs.total ?? Number.NaN),
      ),
      ...steps.map((step) =>
        plainRow(`of that, step ${step}, p50`, median(times.map(({ guestMs }) => guestMs[step] ?? 0)), 'ms'),
      ),
    ];
  }

  private async atOnce(layer: ShelvedLayer, tape: readonly TapedRead[], alone: number): Promise<BenchRow[]> {
    return this.onHost(async (host) => {
      await playAtOnce(host, layer, tape, AT_ONCE);
      const most = Math.max(...host.store.fetches.values());
      const what = `${layer.name}: ${AT_ONCE} block clients at once read what the first desktop read`;
      return [
        judged(plainRow(`${what}: most often that a chunk was fetched`, most, 'times'), { atMost: 1 }),
        comparedRow(`${what}: fetched, against that desktop alone`, host.store.fetchedBytes / MB, 'MB', alone / MB),
      ];
    });
  }

  /** A host that has nothing of any layer. */
  private async onHost<T>(work: (host: AppHost) => Promise<T>): Promise<T> {
    const dir = join(this.forks.dir, `host-${randomUUID().slice(0, 8)}`);
    await mkdir(dir);
    await chmod(dir, 0o711);
    const host = await AppHost.open(dir, this.shelf.storeDir, this.driver, this.key);
    try {
      return await work(host);
    } finally {
      await host.close();
      await rm(dir, { recursive: true });
    }
  }

  private async onDesktop<T>(host: AppHost, work: (desktop: Desktop) => Promise<T>): Promise<T> {
    const { driver } = this;
    const { machine } = await this.forks.make(driver, MEMORY_MIB);
    try {
      await driver.waitReady(machine.id, READY_MS);
      return await work({ host, driver, machineId: machine.id });
    } finally {
      await driver.destroy(machine.id);
      await host.exports.release(machine.id);
    }
  }
}

/** With `--record`: what was read goes into the recipe, so that its next layer begins with it. */
async function recordStartOrder(desktop: Desktop, { name }: ShelvedLayer, recipeDir: string): Promise<void> {
  const paths = await filesRead(desktop, name);
  const head = `# Files that ${basename(recipeDir)} reads until its window is there, as recorded in a desktop.`;
  await writeFile(join(recipeDir, 'start-order.txt'), `${[head, ...paths].join('\n')}\n`);
}
