import { open, rm } from 'node:fs/promises';
import { z } from 'zod';
import { UndoStack } from '#libs/kernel';
import type { MachineSpec } from '../machine.js';
import { newDisplayPassword } from './display-password.js';
import { checkImage, checkImageFiles, type LeafBase } from './leaf.js';
import { handOverKey, makeKeyPipe } from './leaf-key.js';
import { LiveMachine } from './live-machine.js';
import { asMachineError, type MachineMaking, makeMachineFolder, requireCapacity } from './machine-making.js';
import { MachineFolder, type MachineRecord } from './machine-record.js';
import { loadState } from './migration.js';
import type { ParentFolder } from './parent-folder.js';
import { qemuArguments } from './qemu-arguments.js';
import { endProcess, startQemu } from './qemu-process.js';

const LOAD_TIMEOUT_MS = 20_000;

/** What of a spec is not checked by types. */
export const machineSpecSchema = z.object({
  id: z.uuid(),
  vcpus: z.int().min(1).max(64),
  memoryMiB: z.int().min(128).max(1_048_576),
  hostname: z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'not a host name'),
});

const vncSchema = z.object({ host: z.string(), service: z.coerce.number().int() });

/**
 * Makes a machine's folder, leaf and process. The guest runs its first instruction after the record is written, so
 * what dies half-way never ran.
 * @param options.orderedAt by performance.now()
 * @throws MachineError; the reason of the signal. Nothing is left then.
 */
export async function createMachine(
  making: MachineMaking,
  spec: MachineSpec,
  options: { orderedAt: number; parent?: ParentFolder; signal?: AbortSignal },
): Promise<LiveMachine> {
  try {
    return await makeMachine(making, spec, options);
  } catch (cause) {
    options.signal?.throwIfAborted();
    throw asMachineError(cause, `machine ${spec.id}`);
  }
}

function makeMachine(
  making: MachineMaking,
  spec: MachineSpec,
  { orderedAt, parent, signal }: { orderedAt: number; parent?: ParentFolder; signal?: AbortSignal },
): Promise<LiveMachine> {
  return UndoStack.run(async (undo) => {
    signal?.throwIfAborted();
    // A parent is proof that machines can use the image, as long as it is there.
    await (parent ? checkImageFiles(spec.image) : checkImage(spec.image, making.user));
    await requireCapacity(making, spec);

    const folder = new MachineFolder(making.machinesDir, spec.id);
    undo.add('the folder of the machine', () => rm(folder.dir, { recursive: true, force: true }));
    await makeMachineFolder(folder, making);
    const handOver = await makeLeaf(making, leafBase(spec, parent), folder);

    const state = parent && (await open(parent.path('state'), 'r'));
    const starting = startQemu({
      command: making.qemuCommand,
      args: qemuArguments({
        spec,
        accelerator: making.accelerator,
        ports: making.displayPorts,
        memory: parent ? { kind: 'forked', memoryPath: parent.path('memory') } : { kind: 'own' },
        leaf: making.encryptLeaves ? 'encrypted' : 'plain',
      }),
      folder,
      user: making.user,
      processes: making.processes,
      timeoutMs: 20_000,
      inheritedFd: state?.fd,
      signal,
      onSpawn: (spawned) => undo.add('the process of the machine', () => endProcess(making.processes, spawned)),
    }).finally(() => state?.close());
    const [{ identity, qmp }] = await handOver(starting);
    undo.add('the connection to the machine', () => qmp.close());

    const password = newDisplayPassword();
    await qmp.execute('set_password', { protocol: 'vnc', password });
    const vnc = vncSchema.parse(await qmp.execute('query-vnc'));
    if (parent) await loadState(qmp, LOAD_TIMEOUT_MS, signal);
    const record: MachineRecord = {
      formatVersion: 1,
      id: spec.id,
      imageDigest: spec.image.digest,
      startedAt: new Date(),
      process: identity,
      ...(parent ? { fork: { parentKey: parent.key, hostname: spec.hostname } } : {}),
      start: { method: parent ? 'fork' : 'boot', durationMs: Math.round(performance.now() - orderedAt) },
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

/** @returns what hands over the leaf's key, if it has one, to the process that starts */
async function makeLeaf(
  making: MachineMaking,
  base: LeafBase,
  folder: MachineFolder,
): Promise<<T>(starting: Promise<T>) => Promise<[T, unknown]>> {
  if (!making.encryptLeaves) {
    await making.leaves.create(base, folder.run('leaf.qcow2'));
    return async (starting) => [await starting, undefined];
  }
  const pipePath = folder.run('leaf.key');
  const [key] = await Promise.all([
    making.leaves.createEncrypted(base, folder.run('leaf.luks')),
    makeKeyPipe(pipePath, making.user),
  ]);
  return (starting) => {
    const failed = new AbortController();
    starting.catch((error: unknown) => failed.abort(error));
    return Promise.all([starting, handOverKey(pipePath, key, failed.signal)]);
  };
}

function leafBase(spec: MachineSpec, parent: ParentFolder | undefined): LeafBase {
  if (parent) return { path: parent.path('disk.qcow2'), format: 'qcow2' };
  return { path: spec.image.rootDiskPath, format: spec.image.rootDiskFormat };
}
