import type { Logger } from 'pino';
import type { NbdViewOpener } from '../volume-view.js';
import type { MachineUser } from './machine-user.js';
import type { Accelerator, DisplayPorts } from './qemu-arguments.js';

export interface QemuDriverOptions {
  /** One folder a machine; must be on the same host and belong to one driver at a time. Absolute. */
  readonly machinesDir: string;
  /**
   * Where the saved machines are kept that others are forked from, on the same host and for one driver at a time;
   * absolute. Without it machines boot.
   */
  readonly parentsDir?: string;
  readonly logger: Logger;
  /** Given when this process is root: whom QEMU runs as. Otherwise QEMU runs as this process does. */
  readonly machineUser?: MachineUser;
  /** `auto` (default): KVM when a probe boot shows that it works, else TCG. */
  readonly accelerator?: 'auto' | Accelerator;
  /** Loopback ports for displays, default 15900 to 17899. */
  readonly displayPorts?: DisplayPorts;
  /** Below this a machine is refused (`no-space`), so that those that run can go on writing. Default 1024. */
  readonly minFreeDiskMiB?: number;
  /** Whether each machine's writes are encrypted under a key that dies with it. Default true. */
  readonly encryptLeaves?: boolean;
  /** How long a parent's boot may take. Default 240,000. */
  readonly parentBootTimeoutMs?: number;
  /** For how long machines boot before a parent that could not be made is tried again. Default 120,000. */
  readonly parentRetryMs?: number;
  /** How long a parent without children is kept after its last use. Default one day. */
  readonly keepUnusedParentsMs?: number;
  /** For how long a machine's reads of a volume wait for a server that is away, in seconds. Default 120. */
  readonly volumeReconnectDelayS?: number;
  /** Reads views of writable volumes; without it they can be made, but not opened. */
  readonly openNbdView?: NbdViewOpener;
  readonly qemuCommand?: string;
}
