export { FakeDriver } from './fake/fake-driver.js';
export type { FakeGuestApps } from './fake/fake-guest-apps.js';
export type { FakeGuestProfile, FakeProfileFault } from './fake/fake-guest-profile.js';
export { type FakeCall, FakeHost, type FakeMachine } from './fake/fake-host.js';
export type { GuestAppFailure, GuestAppState, GuestAppsReport } from './guest-apps/guest-apps-report.js';
export { type GuestAppRequest, parseGuestRequest } from './guest-apps/guest-request.js';
export { startGuestApp } from './guest-apps/start-guest-app.js';
export { type GuestAppsOptions, syncGuestApps } from './guest-apps/sync-guest-apps.js';
export type { WantedApp } from './guest-apps/wanted-app.js';
export { type DisplaySize, displaySizeSchema, guestPaths } from './guest-contract.js';
export { closeGuestProfile, type GuestProfileOptions } from './guest-profile/close-guest-profile.js';
export type { GuestProfileClosing, GuestProfileOpening } from './guest-profile/guest-profile-report.js';
export { type GuestProfileWish, openGuestProfile } from './guest-profile/open-guest-profile.js';
export type { DriverCapabilities, HostCapacity } from './host.js';
export type {
  CallOptions,
  FileSystemUsage,
  GuestCommand,
  GuestResult,
  HypervisorDriver,
  ViewOutcome,
  ViewVolumeOptions,
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
export type { GuestMessage, MachineVolume, WritableMachineVolume } from './machine-volume.js';
export type { MachineUser } from './qemu/machine-user.js';
export { QemuDriver } from './qemu/qemu-driver.js';
export type { QemuDriverOptions } from './qemu/qemu-options.js';
export type { ByteExtent, NbdViewExport, NbdViewOpener, VolumeView, VolumeViewReader } from './volume-view.js';
