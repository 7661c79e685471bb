import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { HypervisorDriver, MachineImage, MachineShape } from '#libs/hypervisor';
import { runFolder } from './run-folder.js';

const run = promisify(execFile);

/**
 * Prepares a driver to fork such machines. A parent takes a boot to make: the first file of a run that needs it has its
 * driver make it, the others get a copy, which their drivers check whole, as any that they find, and may damage.
 */
export async function prepareParents(
  driver: HypervisorDriver,
  parentsDir: string,
  image: MachineImage,
  shape: MachineShape,
): Promise<void> {
  const shared = join(runFolder(), 'parents');
  await mkdir(shared, { recursive: true });
  await copyMissing(shared, parentsDir);
  await driver.prepare(image, shape);
  await copyMissing(parentsDir, shared);
}

async function copyMissing(from: string, to: string): Promise<void> {
  const there = await readdir(to);
  for (const key of await readdir(from)) {
    if (!/^[0-9a-f]{40}$/.test(key) || there.includes(key)) continue;
    const copy = join(to, `copy-${randomUUID()}`);
    await run('cp', ['--archive', '--reflink=auto', join(from, key), copy]);
    // Another file that runs beside this one may have been first.
    await rename(copy, join(to, key)).catch(() => rm(copy, { recursive: true }));
  }
}
