export { createDriver } from './create-driver.js';
export { MachineShutdown } from './machine-shutdown.js';
export { ProvisionerModule } from './provisioner.module.js';
