import { randomUUID } from 'node:crypto';
import { chmod, chown, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UndoStack } from '#libs/kernel';
import { delay } from '../delay.js';
import { guestPaths } from '../guest-contract.js';
import { MachineError } from '../machine-error.js';
import { GuestAgent } from './guest-agent.js';
import { type ClockReading, readGuestClock, requireRightClock } from './guest-clock.js';
import { IDENTITY_PROGRAM, identityPaths } from './identity-program.js';
import { checkImage } from './leaf.js';
import { type MachineMaking, makeMachineFolder, requireCapacity } from './machine-making.js';
import { MachineFolder } from './machine-record.js';
import { saveState } from './migration.js';
import {
  type ParentFileName,
  ParentFolder,
  type ParentRecord,
  parentFileNames,
  writeParentRecord,
} from './parent-folder.js';
import { type ParentInputs, parentKey } from './parent-key.js';
import { chooseParentMemory, settleParentMemory } from './parent-memory.js';
import type { ProcessIdentity } from './process-identity.js';
import { qemuArguments } from './qemu-arguments.js';
import { endProcess, startQemu } from './qemu-process.js';
import { hashSparseFile } from './saved-file.js';
import { waitIdle } from './wait-idle.js';

const READY_POLL_MS = 250;
const SAVE_TIMEOUT_MS = 60_000;
const IDLE_TIMEOUT_MS = 20_000;

/**
 * Boots an image to its waiting screen, has it wait for an identity, saves it and puts it in its place, whole or not
 * at all. Nothing that is one machine's own is in it yet, nor anything secret.
 * @throws WrongGuestClock, after which it can be tried again at once; MachineError; the reason of the signal. Nothing is
 *   left then.
 */
export async function makeParent(
  making: MachineMaking,
  parentsDir: string,
  inputs: ParentInputs,
  options: { bootTimeoutMs: number; signal: AbortSignal },
): Promise<ParentRecord> {
  const { signal } = options;
  const { image, shape, accelerator } = inputs;
  return UndoStack.run(async (undo) => {
    await checkImage(image, making.user);
    await requireCapacity(making, shape);
    const id = randomUUID();
    const folder = new MachineFolder(parentsDir, id);
    undo.add('the folder of the parent', () => rm(folder.dir, { recursive: true, force: true }));
    await makeMachineFolder(folder, making);
    await making.leaves.create({ path: image.rootDiskPath, format: image.rootDiskFormat }, folder.run('leaf.qcow2'));

    const memoryPath = await chooseParentMemory(folder, id, shape.memoryMiB);
    undo.add('the memory of the parent', () => rm(memoryPath, { force: true }));
    const state = await open(join(folder.dir, 'state'), 'wx', 0o400);
    let identity: ProcessIdentity;
    try {
      const started = await startQemu({
        command: making.qemuCommand,
        args: qemuArguments({
          spec: { id, image, ...shape, hostname: 'desktop' },
          accelerator,
          ports: making.displayPorts,
          memory: { kind: 'kept', memoryPath },
          leaf: 'plain',
        }),
        folder,
        user: making.user,
        processes: making.processes,
        timeoutMs: 20_000,
        signal,
        onSpawn: (spawned) => undo.add('the process of the parent', () => endProcess(making.processes, spawned)),
      });
      identity = started.identity;
      const { qmp } = started;
      undo.add('the connection to the parent', () => qmp.close());
      await qmp.execute('cont');
      const clockBefore = await reachWaitingScreen(folder, options.bootTimeoutMs, signal);
      await waitIdle(identity.pid, IDLE_TIMEOUT_MS, signal);
      // All its children would go by it.
      await requireRightClock(clockBefore, () => readGuestClock(folder.run('agent.sock'), signal), signal);
      await qmp.execute('stop');
      await saveState(qmp, { folder, user: making.user, file: state }, SAVE_TIMEOUT_MS, signal);
      // Not killed: what it holds of its disk's tables has to reach the file.
      await qmp.execute('quit').catch(() => undefined);
      await ended(making, identity, signal);
      qmp.close();
      await state.sync();
    } finally {
      await state.close();
    }
    await mkdir(join(folder.dir, 'parent'), { mode: 0o711 });
    await settleParentMemory(memoryPath, join(folder.dir, 'parent', 'memory'), signal);
    const record = await layOut(folder, making, inputs);
    const place = new ParentFolder(parentsDir, record.key);
    // What stood there was found damaged.
    await rename(place.dir, join(folder.dir, 'replaced')).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    await rename(join(folder.dir, 'parent'), place.dir);
    await rm(folder.dir, { recursive: true, force: true });
    return record;
  });
}

/** @returns what the clock of the guest showed meanwhile */
async function reachWaitingScreen(
  folder: MachineFolder,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ClockReading> {
  const deadline = Date.now() + timeoutMs;
  const exists = async (path: string): Promise<boolean> => {
    try {
      return await GuestAgent.talk(folder.run('agent.sock'), 3_000, signal, (agent) => agent.fileExists(path));
    } catch (error) {
      if (error instanceof MachineError && error.code === 'guest-unresponsive') return false;
      throw error;
    }
  };
  const appears = async (path: string, what: string): Promise<void> => {
    for (; !(await exists(path)); await delay(READY_POLL_MS, signal)) {
      if (Date.now() > deadline) throw new MachineError('not-ready', `${what} within ${timeoutMs} ms`);
    }
  };
  await appears(guestPaths.ready, 'the desktop of the parent was not drawn');
  const clock = await readGuestClock(folder.run('agent.sock'), signal);
  await GuestAgent.talk(folder.run('agent.sock'), 30_000, signal, (agent) =>
    agent.call('guest-exec', {
      path: identityPaths.interpreter,
      arg: ['-'],
      'input-data': Buffer.from(IDENTITY_PROGRAM).toString('base64'),
    }),
  );
  await appears(identityPaths.waits, 'the guest did not come to wait for an identity');
  return clock;
}

async function ended(making: MachineMaking, identity: ProcessIdentity, signal: AbortSignal): Promise<void> {
  for (const deadline = Date.now() + 15_000; await making.processes.isAlive(identity); await delay(10, signal)) {
    if (Date.now() > deadline) throw new MachineError('failed', 'the parent does not end');
  }
}

/** Gathers the files as they will lie, flushed, with rights and digests. */
async function layOut(folder: MachineFolder, making: MachineMaking, inputs: ParentInputs): Promise<ParentRecord> {
  const dir = join(folder.dir, 'parent');
  await rename(join(folder.dir, 'state'), join(dir, 'state'));
  await rename(folder.run('leaf.qcow2'), join(dir, 'disk.qcow2'));
  const files = {} as Record<ParentFileName, ParentRecord['files'][ParentFileName]>;
  for (const name of parentFileNames) {
    const path = join(dir, name);
    const file = await open(path, 'r');
    await file.sync();
    await file.close();
    if (making.user) await chown(path, process.getuid?.() ?? 0, making.user.gid);
    await chmod(path, modes(making)[name]);
    const { size, mtimeMs } = await stat(path);
    files[name] = { bytes: size, modifiedMs: mtimeMs, sha256: await hashSparseFile(path) };
  }
  const record: ParentRecord = {
    formatVersion: 1,
    key: parentKey(inputs),
    imageDigest: inputs.image.digest,
    rootDiskPath: inputs.image.rootDiskPath,
    qemuVersion: inputs.qemuVersion,
    savedAt: new Date(),
    files,
  };
  await writeParentRecord(dir, record);
  return record;
}

/**
 * QEMU before 8.2 opens a memory file for writing even when it maps it privately and never writes it, so that the
 * machines' group has to be allowed to; see `ParentStore` for how a change is found.
 */
function modes({ user }: MachineMaking): Record<ParentFileName, number> {
  return user
    ? { memory: 0o460, state: 0o400, 'disk.qcow2': 0o440 }
    : { memory: 0o600, state: 0o400, 'disk.qcow2': 0o400 };
}
