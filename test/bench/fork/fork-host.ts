import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { type Machine, type MachineImage, QemuDriver } from '#libs/hypervisor';
import { testImage } from '#libs/testing';

const logger = pino({ level: 'warn' }, pino.destination(2));
const BOOT_TIMEOUT_MS = 240_000;
/** Whom machines of benches run as. */
export const machineUser = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;

export interface MadeMachine {
  readonly machine: Machine;
  /** From the order until QEMU runs the guest and its display answers. */
  readonly runningMs: number;
}

/** A folder of machines and parents for a bench, and the drivers over it. */
export class ForkHost {
  private readonly drivers: QemuDriver[] = [];
  private nextPort = 22_900;

  private constructor(
    /** Machines can enter it. */
    readonly dir: string,
    readonly image: MachineImage,
  ) {}

  static async open(): Promise<ForkHost> {
    const image = await testImage(logger);
    const dir = await mkdtemp(join(tmpdir(), 'goldleaf-bench-'));
    await chmod(dir, 0o711);
    return new ForkHost(dir, image);
  }

  /** @param name of the driver's own folders */
  async driver(name: string, options: { forks: boolean; encryptLeaves: boolean }): Promise<QemuDriver> {
    const driver = new QemuDriver({
      machinesDir: join(this.dir, `machines-${name}`),
      ...(options.forks ? { parentsDir: join(this.dir, `parents-${name}`) } : {}),
      encryptLeaves: options.encryptLeaves,
      parentBootTimeoutMs: BOOT_TIMEOUT_MS,
      displayPorts: { first: this.nextPort, last: this.nextPort + 99 },
      logger,
      machineUser,
    });
    this.nextPort += 100;
    await driver.start();
    this.drivers.push(driver);
    return driver;
  }

  prepare(driver: QemuDriver, memoryMiB: number): Promise<void> {
    return driver.prepare(this.image, { vcpus: 1, memoryMiB });
  }

  async make(driver: QemuDriver, memoryMiB: number): Promise<MadeMachine> {
    const startedAt = performance.now();
    const spec = { id: randomUUID(), image: this.image, vcpus: 1, memoryMiB, hostname: 'bench' };
    const machine = await driver.create(spec);
    await displayAnswers(machine);
    return { machine, runningMs: performance.now() - startedAt };
  }

  async close(): Promise<void> {
    for (const driver of this.drivers) {
      for (const { id } of await driver.list()) await driver.destroy(id);
      await driver.stop();
    }
    await rm(this.dir, { recursive: true });
  }
}

async function displayAnswers({ display }: Machine): Promise<void> {
  if (!display) throw new Error('the machine has no display');
  const socket = createConnection(display.port, display.host);
  try {
    await once(socket, 'data');
  } finally {
    socket.destroy();
  }
}

export interface RealMemory {
  readonly totalMiB: number;
  /** Of it, code that QEMU translated for the host: there is none under hardware virtualisation. */
  readonly translatedMiB: number;
}

/** What the processes of these machines hold of real memory, each shared page counted in parts. */
export async function realMemory(machineIds: readonly string[]): Promise<RealMemory> {
  const names = new Set(machineIds.map((id) => `goldleaf-${id}`));
  let totalKiB = 0;
  let translatedKiB = 0;
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const args = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (!args.some((arg) => names.has(arg))) continue;
    let rights = '';
    for (const line of (await readFile(`/proc/${pid}/smaps`, 'utf8')).split('\n')) {
      rights = /^[0-9a-f]+-[0-9a-f]+ (\S{4}) /.exec(line)?.[1] ?? rights;
      const kib = Number(/^Pss: +(\d+) kB/.exec(line)?.[1] ?? 0);
      totalKiB += kib;
      if (rights === 'rwxp') translatedKiB += kib;
    }
  }
  return { totalMiB: totalKiB / 1024, translatedMiB: translatedKiB / 1024 };
}
