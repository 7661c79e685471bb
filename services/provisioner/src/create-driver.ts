import { join } from 'node:path';
import type { Logger } from 'pino';
import type { AppConfig } from '#libs/config';
import { FakeDriver, type HypervisorDriver, QemuDriver } from '#libs/hypervisor';
import { findMachineUser } from './find-machine-user.js';

/** System account that machines run as when the provisioner runs as root; set-up makes it. */
const MACHINE_USER = 'goldleaf-vm';

/** The driver that the configuration asks for. */
export function createDriver(
  config: Pick<AppConfig, 'driver' | 'accelerator' | 'stateDir'>,
  logger: Logger,
): HypervisorDriver {
  if (config.driver === 'fake') return new FakeDriver();
  const machineUser = findMachineUser(MACHINE_USER);
  return new QemuDriver({
    machinesDir: join(config.stateDir, 'machines'),
    parentsDir: join(config.stateDir, 'parents'),
    accelerator: config.accelerator,
    logger,
    ...(machineUser === undefined ? {} : { machineUser }),
  });
}
