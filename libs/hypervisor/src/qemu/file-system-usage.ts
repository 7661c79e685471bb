import { z } from 'zod';
import type { FileSystemUsage } from '../hypervisor-driver.js';
import { MachineError } from '../machine-error.js';
import { type GuestAgent, GuestAgentRefusal } from './guest-agent.js';

const bytes = z.int().nonnegative().optional();
const fileSystems = z.array(z.object({ mountpoint: z.string(), 'used-bytes': bytes, 'total-bytes': bytes }));

/** Asks an agent, as `fileSystemUsage` of the port. One of a frozen guest refuses. */
export const fileSystemUsageOf =
  (mountPoint: string) =>
  async (agent: GuestAgent): Promise<FileSystemUsage | null> => {
    const said = await agent.call('guest-get-fsinfo', {}).catch((cause: unknown) => {
      if (!(cause instanceof GuestAgentRefusal)) throw cause;
      throw new MachineError('failed', `the guest does not tell of its file systems: ${cause.message}`, { cause });
    });
    const found = fileSystems.parse(said).find(({ mountpoint }) => mountpoint === mountPoint);
    const [usedBytes, totalBytes] = [found?.['used-bytes'], found?.['total-bytes']];
    return usedBytes === undefined || totalBytes === undefined ? null : { usedBytes, totalBytes };
  };
