import { z } from 'zod';

/** A read-only volume that a machine is given as a disk, and where its host serves it. */
export interface MachineVolume {
  /** Names it within the machine: 1 to 36 of a-z, 0-9 and -. The guest sees it as the disk's serial number. */
  readonly id: string;
  /**
   * Unix socket of an NBD server, at most 107 bytes. The user that machines run as must be able to enter every folder on
   * the way and to write to the socket (`NbdSocketAccess` of `libs/volumes`). Who can open it can open each of its
   * exports, so each machine needs one of its own.
   */
  readonly socketPath: string;
  readonly exportName: string;
}

/** A volume that a machine may write over; what it writes never reaches the server. */
export interface WritableMachineVolume extends MachineVolume {
  /** The size of the disk, a multiple of 512 and no less than what is served; beyond that it is zeros. */
  readonly sizeBytes: number;
}

/** The serial number that the guest sees, so at most as long as one may be. */
export const volumeIdSchema = z.string().regex(/^[a-z0-9-]{1,36}$/, 'not the id of a volume');

/** What is checked before a machine is given a volume. */
export const machineVolumeSchema = z.object({
  id: volumeIdSchema,
  socketPath: z
    .string()
    .startsWith('/', 'the path of a socket is absolute')
    .refine((path) => Buffer.byteLength(path) <= 107, 'the path of the socket is longer than 107 bytes'),
  exportName: z.string().min(1).max(1024),
});

/** The same of one that the machine may write over. */
export const writableVolumeSchema = machineVolumeSchema.extend({
  sizeBytes: z
    .int()
    .positive()
    .refine((sizeBytes) => sizeBytes % 512 === 0, 'the size of a disk is a multiple of 512 bytes'),
});

/** One line that a guest wrote to its port `org.goldleaf.apps.0`. Not to be trusted: any program may have written it. */
export interface GuestMessage {
  readonly machineId: string;
  /** Printable ASCII, 1 to 200 characters. */
  readonly text: string;
}
