import type { HypervisorDriver } from './hypervisor-driver.js';
import type { MachineExitReason, MachineImage, MachineSpec } from './machine.js';
import type { MachineErrorCode } from './machine-error.js';
import type { MachineVolume } from './machine-volume.js';

/** What the conformance suite needs from each kind of driver. */
export interface ConformanceSetup {
  /** Another driver over the same host, as a new process would make it. Not started. */
  newDriver(): HypervisorDriver;
  readonly image: MachineImage;
  readonly bootTimeoutMs: number;
  /** What `capabilities` is to say. */
  readonly forks: boolean;
  /** Has a machine end in this way; the end itself may come a little later. A guest's own ways need a ready guest. */
  end(driver: HypervisorDriver, machineId: string, reason: MachineExitReason): Promise<void>;
  /** Makes `create` of the returned spec fail in this way; undefined when this driver cannot be made to. */
  breakCreate(code: MachineErrorCode, spec: MachineSpec): Promise<MachineSpec | undefined>;
  /** A volume of this id that can be attached. */
  serveVolume(volumeId: string): Promise<MachineVolume>;
  /** Has the next `attachVolume` of the returned volume fail as one that nobody serves. */
  breakVolume(volume: MachineVolume): Promise<MachineVolume>;
  /** What `serveVolume` serves, all bytes alike. */
  readonly servedBytes: number;
  /** Has the ready guest fill a range of a volume that it may write with this byte; done when the disk has it. */
  fillVolume(
    driver: HypervisorDriver,
    machineId: string,
    volumeId: string,
    range: { offset: number; length: number },
    byte: number,
  ): Promise<void>;
  /** Has a program in the ready guest write a line to its port. */
  sayInGuest(driver: HypervisorDriver, machineId: string, text: string): Promise<void>;
  /** What is left on the host of machines: processes, folders, leaves. */
  remains(machineId: string): Promise<readonly string[]>;
  close(): Promise<void>;
}
