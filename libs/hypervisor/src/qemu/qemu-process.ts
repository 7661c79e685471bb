import { spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { delay } from '../delay.js';
import { MachineError } from '../machine-error.js';
import type { MachineFolder } from './machine-record.js';
import type { MachineUser } from './machine-user.js';
import type { ProcessIdentity, ProcessTable } from './process-identity.js';
import { QmpClient } from './qmp-client.js';

/** QEMU's monitor is there about 40 ms after its start. */
const START_POLL_MS = 4;
const END_POLL_MS = 5;
/**
 * No core dumps: one would hold the guest's memory. Of the limits that are too small for a file, 1 byte is the one at
 * which the kernel also starts no program that it would otherwise hand the dump to, whatever its size.
 */
const WITHOUT_CORE_DUMPS = ['prlimit', '--core=1:1', '--'] as const;

/**
 * Starts QEMU in a session of its own, so that it outlives this process, and returns when its monitor answers.
 * @throws MachineError with the cause as QEMU gave it
 */
export async function startQemu(options: {
  command: string;
  args: readonly string[];
  folder: MachineFolder;
  user: MachineUser | undefined;
  processes: ProcessTable;
  timeoutMs: number;
  /** An open file that QEMU inherits as its descriptor 3. */
  inheritedFd?: number;
  signal?: AbortSignal;
  /** Told as soon as there is a process that would have to be ended. */
  onSpawn: (identity: ProcessIdentity) => void;
}): Promise<{ identity: ProcessIdentity; qmp: QmpClient }> {
  const { folder, processes, signal } = options;
  const log = await open(folder.run('qemu.log'), 'a');
  let spawnError: Error | undefined;
  let exited = false;
  let identity: ProcessIdentity | undefined;
  try {
    const [command, ...before] = WITHOUT_CORE_DUMPS;
    const child = spawn(command, [...before, options.command, ...options.args], {
      cwd: folder.runDir,
      detached: true,
      stdio: ['ignore', log.fd, log.fd, options.inheritedFd ?? 'ignore'],
      // Nothing of our own environment: it may hold secrets.
      env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', TMPDIR: folder.runDir },
      ...options.user,
    });
    child.once('error', (error) => {
      spawnError = error;
    });
    child.once('exit', () => {
      exited = true;
    });
    child.unref();
    if (child.pid !== undefined) identity = await processes.identify(child.pid);
    if (identity) options.onSpawn(identity);
  } finally {
    await log.close();
  }
  for (const deadline = Date.now() + options.timeoutMs; ; await delay(START_POLL_MS, signal)) {
    if (spawnError) throw new MachineError('failed', `QEMU cannot be started: ${spawnError.message}`);
    if (exited || !identity) throw await startFailure(folder);
    try {
      return { identity, qmp: await QmpClient.connect(folder.run('qmp.sock'), 5_000) };
    } catch (cause) {
      if (Date.now() > deadline) {
        throw new MachineError('failed', `QEMU's monitor does not answer (${(cause as Error).message})`, { cause });
      }
    }
  }
}

async function startFailure(folder: MachineFolder): Promise<MachineError> {
  const said = (await readFile(folder.run('qemu.log'), 'utf8').catch(() => '')).trim().split('\n').slice(-3).join('; ');
  if (/No space left/i.test(said)) return new MachineError('no-space', `QEMU found no space: ${said}`);
  if (/cannot (set up|allocate).*memory|Cannot allocate memory|out of memory/i.test(said)) {
    return new MachineError('no-memory', `QEMU found no memory: ${said}`);
  }
  if (/Image is not in qcow2|Could not open backing file|Could not read|corrupt|could not load kernel/i.test(said)) {
    return new MachineError('image-damaged', `QEMU cannot use the golden image: ${said}`);
  }
  return new MachineError('failed', `QEMU ended at its start: ${said || 'without a word'}`);
}

/** Kills a process and waits until it is gone. @throws MachineError `failed` when it does not go */
export async function endProcess(processes: ProcessTable, identity: ProcessIdentity): Promise<void> {
  for (const deadline = Date.now() + 15_000; await processes.isAlive(identity); await delay(END_POLL_MS)) {
    if (Date.now() > deadline) throw new MachineError('failed', `process ${identity.pid} does not end`);
    try {
      process.kill(identity.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
