import type { Logger } from 'pino';
import type { MachineUser } from './machine-user.js';
import type { Accelerator, DisplayPorts } from './qemu-arguments.js';

export interface QemuDriverOptions {
  /** One folder a machine; must be on the same host and belong to one driver at a time. Absolute. */
  readonly machinesDir: string;
  readonly logger: Logger;
  /** Given when this process is root: whom QEMU runs as. Otherwise QEMU runs as this process does. */
  readonly machineUser?: MachineUser;
  /** `auto` (default): KVM when a probe boot shows that it works, else TCG. */
  readonly accelerator?: 'auto' | Accelerator;
  /** Loopback ports for displays, default 15900 to 17899. */
  readonly displayPorts?: DisplayPorts;
  /** Below this a machine is refused (`no-space`), so that those that run can go on writing. Default 1024. */
  readonly minFreeDiskMiB?: number;
  readonly qemuCommand?: string;
}
