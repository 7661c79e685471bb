import { readdir, readFile, rm } from 'node:fs/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import { LiveMachine } from './live-machine.js';
import { MachineFolder } from './machine-record.js';
import { parentMemoryPath } from './parent-memory.js';
import { type ProcessTable, processIdentitySchema } from './process-identity.js';
import { processName } from './qemu-arguments.js';
import { endProcess } from './qemu-process.js';
import { writableVolumes } from './writable-leaf.js';

const machineId = z.uuid();

/** States of a stopped QEMU that `cont` sets going again. */
const RESUMABLE = ['prelaunch', 'paused', 'io-error'];
/** Of one whose guest has ended and whose process was told to stay. */
export const SHUT_DOWN = 'shutdown';
const QUERY_TIMEOUT_MS = 10_000;

/**
 * Finds the machines that an earlier process made, those that have ended included, and removes what was never
 * finished: folders without a record, and their processes.
 */
export async function adoptMachines(
  machinesDir: string,
  processes: ProcessTable,
  logger: Logger,
): Promise<LiveMachine[]> {
  await sweepUnfinished(machinesDir, processes, logger);
  const adopted: LiveMachine[] = [];
  for (const name of await readdir(machinesDir)) {
    if (!machineId.safeParse(name).success) continue;
    const folder = new MachineFolder(machinesDir, name);
    const record = await folder.readRecord();
    if (!record) continue;
    // Its maker may have died with its last step left to do.
    await rm(folder.creatorPath, { force: true });
    const machine = new LiveMachine(record, folder);
    machine.mayHaveIdentity = true;
    if (await processes.isAlive(record.process)) {
      try {
        const qmp = await machine.monitor();
        // Its maker may have died between the record and the first instruction.
        const { status } = z.object({ status: z.string() }).parse(await qmp.execute('query-status'));
        if (RESUMABLE.includes(status)) await qmp.execute('cont');
        machine.hasWritableVolume = (await writableVolumes(qmp, QUERY_TIMEOUT_MS)).length > 0;
        if (status === SHUT_DOWN) machine.state = 'ended';
      } catch (error) {
        machine.isDoubtful = true;
        machine.hasWritableVolume = await folder.hasWritableLeaf();
        logger.warn({ err: error, machineId: name }, 'a machine runs but its monitor does not answer');
      }
    } else {
      machine.state = 'ended';
    }
    adopted.push(machine);
  }
  return adopted;
}

/**
 * Removes what was being made in a folder when its maker died: processes and folders. Machines with a record stay.
 * What cannot be removed is told and left: it must not keep all others from being looked after.
 */
export async function sweepUnfinished(dir: string, processes: ProcessTable, logger: Logger): Promise<void> {
  for (const name of await readdir(dir)) {
    if (!machineId.safeParse(name).success) continue;
    const folder = new MachineFolder(dir, name);
    if ((await folder.readRecord()) || (await isBeingMade(folder, processes))) continue;
    try {
      await removeMachine(folder, processes, name);
      logger.info({ machineId: name }, 'swept what was never finished');
    } catch (error) {
      logger.error({ err: error, machineId: name }, 'what was never finished cannot be removed');
    }
  }
}

/** Ends whatever process the machine has and removes its folder. */
export async function removeMachine(folder: MachineFolder, processes: ProcessTable, id: string): Promise<void> {
  // Without its record a machine counts as never finished: if this is cut short, the next start completes it.
  await rm(folder.recordPath, { force: true });
  for (const identity of await processes.findByArgument(processName(id))) await endProcess(processes, identity);
  await rm(parentMemoryPath(id), { force: true });
  await rm(folder.dir, { recursive: true, force: true, maxRetries: 3 });
}

async function isBeingMade(folder: MachineFolder, processes: ProcessTable): Promise<boolean> {
  try {
    const creator = processIdentitySchema.parse(JSON.parse(await readFile(folder.creatorPath, 'utf8')));
    return await processes.isAlive(creator);
  } catch {
    return false;
  }
}
