export { FakeDriver } from './fake/fake-driver.js';
export { type FakeCall, FakeHost, type FakeMachine } from './fake/fake-host.js';
export { type DisplaySize, displaySizeSchema, guestPaths } from './guest-contract.js';
export type { DriverCapabilities, HostCapacity } from './host.js';
export type { CallOptions, GuestCommand, GuestResult, HypervisorDriver } from './hypervisor-driver.js';
export type {
  Machine,
  MachineDisplay,
  MachineExit,
  MachineExitReason,
  MachineImage,
  MachineShape,
  MachineSpec,
  MachineStart,
  MachineUsage,
} from './machine.js';
export { MachineError, type MachineErrorCode } from './machine-error.js';
export type { MachineUser } from './qemu/machine-user.js';
export { QemuDriver } from './qemu/qemu-driver.js';
export type { QemuDriverOptions } from './qemu/qemu-options.js';
