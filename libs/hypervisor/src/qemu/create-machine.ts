import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { UndoStack } from '#libs/kernel';
import type { MachineSpec } from '../machine.js';
import { MachineError } from '../machine-error.js';
import { newDisplayPassword } from './display-password.js';
import { readHostCapacity } from './host-capacity.js';
import { checkImage, createLeaf } from './leaf.js';
import { LiveMachine } from './live-machine.js';
import { MachineFolder, type MachineRecord } from './machine-record.js';
import type { MachineUser } from './machine-user.js';
import type { ProcessTable } from './process-identity.js';
import { type Accelerator, type DisplayPorts, qemuArguments } from './qemu-arguments.js';
import { endProcess, startQemu } from './qemu-process.js';

/** What of a spec is not checked by types. */
export const machineSpecSchema = z.object({
  id: z.uuid(),
  vcpus: z.int().min(1).max(64),
  memoryMiB: z.int().min(128).max(1_048_576),
  hostname: z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'not a host name'),
});

const vncSchema = z.object({ host: z.string(), service: z.coerce.number().int() });

export interface MachineMaking {
  readonly machinesDir: string;
  readonly processes: ProcessTable;
  readonly user: MachineUser | undefined;
  readonly qemuCommand: string;
  readonly displayPorts: DisplayPorts;
  readonly minFreeDiskMiB: number;
  readonly accelerator: Accelerator;
}

/**
 * Makes a machine's folder, leaf and process. The guest runs its first instruction after the record is written, so
 * what dies half-way never ran. @throws MachineError; the reason of the signal. Nothing is left then.
 */
export async function createMachine(
  making: MachineMaking,
  spec: MachineSpec,
  signal?: AbortSignal,
): Promise<LiveMachine> {
  try {
    return await makeMachine(making, spec, signal);
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof MachineError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOSPC') throw new MachineError('no-space', `no space left in ${making.machinesDir}`, { cause });
    if (code === 'ENOMEM') throw new MachineError('no-memory', 'the host has no memory left', { cause });
    throw new MachineError('failed', `machine ${spec.id} cannot be made: ${message}`, { cause });
  }
}

function makeMachine(making: MachineMaking, spec: MachineSpec, signal: AbortSignal | undefined): Promise<LiveMachine> {
  return UndoStack.run(async (undo) => {
    signal?.throwIfAborted();
    await checkImage(spec.image, making.user);
    await requireCapacity(making, spec);

    const folder = new MachineFolder(making.machinesDir, spec.id);
    undo.add('the folder of the machine', () => rm(folder.dir, { recursive: true, force: true }));
    await makeFolder(folder, making);
    await createLeaf(spec.image, folder.run('leaf.qcow2'), making.user, signal);

    const { identity, qmp } = await startQemu({
      command: making.qemuCommand,
      args: qemuArguments(spec, making.accelerator, making.displayPorts),
      folder,
      user: making.user,
      processes: making.processes,
      timeoutMs: 20_000,
      signal,
      onSpawn: (spawned) => undo.add('the process of the machine', () => endProcess(making.processes, spawned)),
    });
    undo.add('the connection to the machine', () => qmp.close());

    const password = newDisplayPassword();
    await qmp.execute('set_password', { protocol: 'vnc', password });
    const vnc = vncSchema.parse(await qmp.execute('query-vnc'));
    const record: MachineRecord = {
      formatVersion: 1,
      id: spec.id,
      imageDigest: spec.image.digest,
      startedAt: new Date(),
      process: identity,
      display: { host: vnc.host, port: vnc.service, password },
    };
    signal?.throwIfAborted();
    await folder.writeRecord(record);
    await qmp.execute('cont');
    await rm(folder.creatorPath, { force: true });
    const machine = new LiveMachine(record, folder);
    machine.takeMonitor(qmp);
    return machine;
  });
}

async function makeFolder(folder: MachineFolder, { user, processes }: MachineMaking): Promise<void> {
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

async function requireCapacity(making: MachineMaking, spec: MachineSpec): Promise<void> {
  const { availableMemoryMiB, availableDiskMiB } = await readHostCapacity(making.machinesDir);
  if (availableDiskMiB < making.minFreeDiskMiB) {
    const needed = `${making.minFreeDiskMiB} MiB free in ${making.machinesDir}`;
    throw new MachineError('no-space', `a machine needs ${needed}; there are ${availableDiskMiB}`);
  }
  if (availableMemoryMiB < spec.memoryMiB) {
    throw new MachineError(
      'no-memory',
      `a machine needs ${spec.memoryMiB} MiB of memory; ${availableMemoryMiB} are available`,
    );
  }
}
