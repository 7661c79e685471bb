import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { processOwner, startGuacd } from '#libs/embedded';
import { connectGuacd, vncSettings } from '#libs/guacamole';
import type { QemuDriver } from '#libs/hypervisor';
import { ForkHost } from '../fork/fork-host.js';
import { type MachineProcessor, machineProcessor } from './machine-processor.js';

const MEMORY_MIB = 1024;
const READY_MS = 240_000;

/** From the order of a machine to its first picture, without Goldleaf: a driver, guacd, and nothing else. */
export interface BareFork {
  /** The driver has made it: the guest runs. */
  readonly forkMs: number;
  /** It has taken its identity. */
  readonly identityMs: number;
  /** guacd has sent the first picture. */
  readonly pictureMs: number;
  readonly processor: MachineProcessor | undefined;
}

/** Forks machines of the golden image one after the other and looks at each. */
export async function bareForks(count: number): Promise<BareFork[]> {
  const folder = await mkdtemp(join(tmpdir(), 'goldleaf-bench-'));
  await chmod(folder, 0o711);
  const logger = pino({ level: 'error' }, pino.destination(2));
  const guacd = await startGuacd({ folder: join(folder, 'guacd'), owner: processOwner(), logger });
  const host = await ForkHost.open();
  try {
    const driver = await host.driver('bare', { forks: true, encryptLeaves: true });
    await host.prepare(driver, MEMORY_MIB);
    // The first finds nothing in the host's caches.
    await forkOnce(host, driver, guacd.port);
    const forks: BareFork[] = [];
    for (let n = 0; n < count; n += 1) forks.push(await forkOnce(host, driver, guacd.port));
    return forks;
  } finally {
    await host.close();
    await guacd.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function forkOnce(host: ForkHost, driver: QemuDriver, guacdPort: number): Promise<BareFork> {
  const startedAt = performance.now();
  const { machine } = await host.make(driver, MEMORY_MIB);
  const forkedAt = performance.now();
  const { id, display } = await driver.waitReady(machine.id, READY_MS);
  const readyAt = performance.now();
  if (!display) throw new Error('the machine has no display');
  await firstPicture(display, guacdPort);
  const drawnAt = performance.now();
  const processor = machineProcessor(id);
  await driver.destroy(id);
  return { forkMs: forkedAt - startedAt, identityMs: readyAt - forkedAt, pictureMs: drawnAt - readyAt, processor };
}

/** Until a frame has ended that contains a picture. */
async function firstPicture(display: Parameters<typeof vncSettings>[0], port: number): Promise<void> {
  const { socket, leftover } = await connectGuacd(vncSettings(display), { host: '127.0.0.1', port });
  try {
    await new Promise<void>((resolve, reject) => {
      let seen = '';
      const look = (chunk: Buffer) => {
        seen += chunk.toString('latin1');
        const picture = seen.indexOf('3.img,');
        if (picture >= 0 && seen.indexOf('4.sync,', picture) >= 0) resolve();
      };
      socket.on('data', look);
      socket.once('close', () => reject(new Error('guacd closed the connection')));
      look(leftover);
      socket.resume();
    });
  } finally {
    socket.destroy();
  }
}
