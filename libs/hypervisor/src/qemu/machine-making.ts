import { chown, mkdir, writeFile } from 'node:fs/promises';
import type { MachineShape } from '../machine.js';
import { MachineError } from '../machine-error.js';
import { readHostCapacity } from './host-capacity.js';
import type { LeafMaker } from './leaf.js';
import type { MachineFolder } from './machine-record.js';
import type { MachineUser } from './machine-user.js';
import type { ProcessTable } from './process-identity.js';
import type { Accelerator, DisplayPorts } from './qemu-arguments.js';

/** What making a machine, or a parent, needs of its driver. */
export interface MachineMaking {
  readonly machinesDir: string;
  readonly processes: ProcessTable;
  readonly user: MachineUser | undefined;
  readonly qemuCommand: string;
  readonly displayPorts: DisplayPorts;
  readonly minFreeDiskMiB: number;
  readonly accelerator: Accelerator;
  readonly leaves: LeafMaker;
  readonly encryptLeaves: boolean;
}

/** Makes an empty folder, marked as being made by this process. */
export async function makeMachineFolder(folder: MachineFolder, { user, processes }: MachineMaking): Promise<void> {
  await mkdir(folder.dir, { mode: 0o711 });
  await writeFile(folder.creatorPath, JSON.stringify(await processes.identify(process.pid)), { mode: 0o600 });
  await mkdir(folder.runDir, { mode: 0o700 });
  // The second monitor reads this once, and from then on writes events.
  await writeFile(folder.run('events.in'), '{"execute":"qmp_capabilities"}\n', { mode: 0o600 });
  await writeFile(folder.run('events.out'), '', { mode: 0o600 });
  if (!user) return;
  for (const path of [folder.run('events.in'), folder.run('events.out'), folder.runDir]) {
    await chown(path, user.uid, user.gid);
  }
}

/** @throws MachineError `no-space` or `no-memory`, naming what is needed */
export async function requireCapacity(making: MachineMaking, { memoryMiB }: MachineShape): Promise<void> {
  const { availableMemoryMiB, availableDiskMiB } = await readHostCapacity(making.machinesDir);
  if (availableDiskMiB < making.minFreeDiskMiB) {
    const needed = `${making.minFreeDiskMiB} MiB free in ${making.machinesDir}`;
    throw new MachineError('no-space', `a machine needs ${needed}; there are ${availableDiskMiB}`);
  }
  if (availableMemoryMiB < memoryMiB) {
    throw new MachineError(
      'no-memory',
      `a machine needs ${memoryMiB} MiB of memory; ${availableMemoryMiB} are available`,
    );
  }
}

/** What went wrong, in the driver's words. */
export function asMachineError(cause: unknown, what: string): MachineError {
  if (cause instanceof MachineError) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ENOSPC') return new MachineError('no-space', `no space left: ${what}`, { cause });
  if (code === 'ENOMEM') return new MachineError('no-memory', 'the host has no memory left', { cause });
  return new MachineError('failed', `${what} cannot be made: ${message}`, { cause });
}
