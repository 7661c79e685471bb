export type { DriverCapabilities, HostCapacity } from './host.js';
export type { CallOptions, GuestCommand, GuestResult, HypervisorDriver } from './hypervisor-driver.js';
export type {
  Machine,
  MachineDisplay,
  MachineExit,
  MachineExitReason,
  MachineImage,
  MachineSpec,
} from './machine.js';
export { MachineError, type MachineErrorCode } from './machine-error.js';
