import { join } from 'node:path';
import type { Logger } from 'pino';
import type { AppConfig } from '#libs/config';
import { FakeDriver, type HypervisorDriver, type MachineUser, QemuDriver } from '#libs/hypervisor';
import { findMachineUser } from './find-machine-user.js';
import { openNbdView } from './open-nbd-view.js';

/** System account that machines run as when the provisioner runs as root; set-up makes it. */
const ACCOUNT = 'goldleaf-vm';

/** The driver that the configuration asks for. */
export function createDriver(
  config: Pick<AppConfig, 'driver' | 'accelerator' | 'stateDir'>,
  logger: Logger,
): HypervisorDriver {
  if (config.driver === 'fake') return new FakeDriver();
  const machineUser = findMachineUser(ACCOUNT);
  return new QemuDriver({
    machinesDir: join(config.stateDir, 'machines'),
    parentsDir: join(config.stateDir, 'parents'),
    accelerator: config.accelerator,
    openNbdView,
    logger,
    ...(machineUser === undefined ? {} : { machineUser }),
  });
}

/** Whom the machines of this driver run as; undefined when it is as this process. @throws Error when there is no account */
export const machineUserOf = (driver: HypervisorDriver): MachineUser | undefined =>
  driver.name === 'qemu' ? findMachineUser(ACCOUNT) : undefined;
