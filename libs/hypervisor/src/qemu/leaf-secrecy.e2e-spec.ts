import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { prepareParents, testImage } from '#libs/testing';
import type { MachineImage } from '../machine.js';
import { pidOf, shell } from './qemu-conformance-setup.js';
import { QemuDriver } from './qemu-driver.js';

const run = promisify(execFile);
const logger = pino({ level: 'warn' });
const READY_MS = 150_000;
const machineUser = { uid: 65_534, gid: 65_534 };
/** A file system can be mounted, and its raw bytes read, by root alone. */
const asRoot = process.getuid?.() === 0 ? it : it.skip;

describe('what a desktop wrote', () => {
  let dir: string;
  let image: MachineImage;
  let filesystem: string;
  let mountPoint: string;

  beforeAll(async () => {
    image = await testImage(logger);
    dir = await mkdtemp(join(tmpdir(), 'goldleaf-secrecy-'));
    await chmod(dir, 0o711);
    filesystem = join(dir, 'filesystem.img');
    mountPoint = join(dir, 'leaves');
  });
  afterAll(() => rm(dir, { recursive: true }));

  /** The only file system that the machines of this test write to. */
  async function withFilesystem<T>(test: () => Promise<T>): Promise<T> {
    await rm(filesystem, { force: true });
    await run('truncate', ['--size=400M', filesystem]);
    await run('mkfs.ext4', ['-q', filesystem]);
    await mkdir(mountPoint, { recursive: true });
    await run('mount', ['-o', 'loop', filesystem, mountPoint]);
    try {
      await chmod(mountPoint, 0o711);
      return await test();
    } finally {
      await run('umount', [mountPoint]);
    }
  }

  async function lies(marker: string): Promise<boolean> {
    await run('sync', ['--file-system', mountPoint]);
    let tail = '';
    for await (const chunk of createReadStream(filesystem, { highWaterMark: 4 << 20 })) {
      const text = tail + (chunk as Buffer).toString('latin1');
      if (text.includes(marker)) return true;
      tail = text.slice(-marker.length);
    }
    return false;
  }

  /** Whether the raw bytes show what the person wrote, while the machine runs and after it was destroyed. */
  function writeAndLook(options: { encryptLeaves: boolean; forks: boolean }) {
    return withFilesystem(async () => {
      const driver = new QemuDriver({
        machinesDir: join(mountPoint, 'machines'),
        ...(options.forks ? { parentsDir: join(dir, 'parents') } : {}),
        encryptLeaves: options.encryptLeaves,
        minFreeDiskMiB: 64,
        displayPorts: { first: 21_900, last: 21_999 },
        logger,
        machineUser,
      });
      await driver.start();
      const id = randomUUID();
      const shape = { vcpus: 1, memoryMiB: 768 };
      try {
        if (options.forks) await prepareParents(driver, join(dir, 'parents'), image, shape);
        await driver.create({ id, image, ...shape, hostname: 'secret' });
        await driver.waitReady(id, READY_MS);
        const marker = randomBytes(20).toString('hex');
        // A file, a deleted file, and more than the guest can hold back in its memory.
        await shell(
          driver,
          id,
          `cd /home/user; yes ${marker} | head -c 1M > kept; yes ${marker} | head -c 1M > deleted; sync; rm deleted; ` +
            `yes ${marker} | head -c 60M > much; sync`,
        );
        const pid = await pidOf(id);
        const files = await readdir(join(mountPoint, 'machines', id, 'run'));
        const seen = [await readFile(`/proc/${pid}/cmdline`, 'utf8'), await readFile(`/proc/${pid}/environ`, 'utf8')];
        const whileRunning = await lies(marker);
        await driver.destroy(id);
        return { whileRunning, afterwards: await lies(marker), files, seen: seen.join() };
      } finally {
        await driver.destroy(id);
        await driver.stop();
      }
    });
  }

  asRoot.each([{ forks: true }, { forks: false }])('is nowhere on the disk (forks: $forks)', async ({ forks }) => {
    const { whileRunning, afterwards, files, seen } = await writeAndLook({ encryptLeaves: true, forks });
    expect({ whileRunning, afterwards }).toEqual({ whileRunning: false, afterwards: false });
    expect(files).toContain('leaf.luks');
    // The pipe is gone, and what named it says nothing of the key: 43 characters of base64 and their sign.
    expect(files).not.toContain('leaf.key');
    expect(seen).not.toMatch(/[A-Za-z0-9+/]{43}=/);
  });

  asRoot('lies there to be read when leaves are not encrypted, so that this test can tell', async () => {
    const found = await writeAndLook({ encryptLeaves: false, forks: true });
    expect(found).toMatchObject({ whileRunning: true, afterwards: true });
  });
});
