export { FakeDriver } from './fake/fake-driver.js';
export type { FakeGuestApps } from './fake/fake-guest-apps.js';
export { type FakeCall, FakeHost, type FakeMachine } from './fake/fake-host.js';
export type { GuestAppFailure, GuestAppState, GuestAppsReport } from './guest-apps/guest-apps-report.js';
export { type GuestAppRequest, parseGuestRequest } from './guest-apps/guest-request.js';
export { startGuestApp } from './guest-apps/start-guest-app.js';
export { type GuestAppsOptions, syncGuestApps } from './guest-apps/sync-guest-apps.js';
export type { WantedApp } from './guest-apps/wanted-app.js';
export { type DisplaySize, displaySizeSchema, guestPaths } from './guest-contract.js';
export type { DriverCapabilities, HostCapacity } from './host.js';
export type {
  CallOptions,
  GuestCommand,
  GuestResult,
  HypervisorDriver,
  VolumeCallOptions,
} from './hypervisor-driver.js';
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
export type { GuestMessage, MachineVolume } from './machine-volume.js';
export type { MachineUser } from './qemu/machine-user.js';
export { QemuDriver } from './qemu/qemu-driver.js';
export type { QemuDriverOptions } from './qemu/qemu-options.js';
