import type { MachineUsage } from '../machine.js';
import type { ProcessIdentity, ProcessTable } from './process-identity.js';

/** What a process holds of the host's memory; undefined when it has ended. */
export async function readMemoryUsage(
  processes: ProcessTable,
  identity: ProcessIdentity,
): Promise<Omit<MachineUsage, 'machineId'> | undefined> {
  const kib = await processes.memoryKiB(identity);
  if (!kib) return undefined;
  const inMiB = (...kinds: string[]) => kinds.reduce((sum, kind) => sum + (kib.get(kind) ?? 0), 0) / 1024;
  return {
    privateMiB: inMiB('Private_Clean', 'Private_Dirty'),
    sharedMiB: inMiB('Shared_Clean', 'Shared_Dirty'),
    proportionalMiB: inMiB('Pss'),
  };
}
