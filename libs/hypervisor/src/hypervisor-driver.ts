import type { DriverCapabilities, HostCapacity } from './host.js';
import type { Machine, MachineExit, MachineImage, MachineShape, MachineSpec, MachineUsage } from './machine.js';
import type { GuestMessage, MachineVolume, WritableMachineVolume } from './machine-volume.js';
import type { VolumeView } from './volume-view.js';

/** A program to run inside a machine, through its guest agent. */
export interface GuestCommand {
  readonly path: string;
  readonly args: readonly string[];
  readonly input?: string;
  /** Deadline for the whole call. */
  readonly timeoutMs: number;
  /** How long it takes at least: asking an emulated guest whether it is done takes time from what it does. Default 20. */
  readonly leastMs?: number;
}

export interface GuestResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CallOptions {
  /** Ends the call early; whatever it had made half-way is gone when it rejects. */
  readonly signal?: AbortSignal;
  /** Appears in the driver's log lines. */
  readonly correlationId?: string;
}

export interface VolumeCallOptions extends CallOptions {
  /** Deadline for the whole call. Default 10,000. */
  readonly timeoutMs?: number;
}

export interface ViewVolumeOptions extends VolumeCallOptions {
  /** Has the guest write out and hold back what it writes to the file system there while the view is made. */
  readonly freeze?: { readonly mountPoint: string };
}

/** How full a file system of a guest is, in bytes, as its person can use it. */
export interface FileSystemUsage {
  readonly usedBytes: number;
  /** What is used and what is left to the person. */
  readonly totalBytes: number;
}

/** Whether what a view showed is safe elsewhere. */
export type ViewOutcome = 'confirmed' | 'dropped';

/**
 * What Goldleaf asks of a hypervisor. A machine belongs to one host, lives outside this process, and its writes live
 * in a leaf that is destroyed with it. Every implementation passes `describeHypervisorDriver`.
 */
export interface HypervisorDriver {
  readonly name: string;

  /** Adopts the machines that an earlier process left running, sweeps what it left half-made, starts watching. */
  start(): Promise<void>;

  /** Stops watching. Machines go on running. */
  stop(): Promise<void>;

  capabilities(): DriverCapabilities;

  /** What the host really has left at this moment. */
  capacity(): Promise<HostCapacity>;

  /**
   * What each running machine of this host holds of its memory at this moment. Cheap enough for every few seconds. A
   * machine that ends meanwhile is left out.
   */
  usage(): Promise<readonly MachineUsage[]>;

  /**
   * Makes ready whatever lets machines of this image and shape start fast, e.g. the parent that they are forked from;
   * `create` does it by itself when nobody did before. Called again it returns at once. Machines can be created also
   * when it rejects.
   * @throws MachineError, as create; `failed` also when the image cannot be prepared
   */
  prepare(image: MachineImage, shape: MachineShape, options?: CallOptions): Promise<void>;

  /**
   * Makes a leaf over the image and starts a machine on it. Called again with the id of a machine that exists it
   * returns that machine. When it rejects, nothing of the machine is left.
   * @throws MachineError `image-missing`, `image-damaged`, `no-space`, `no-memory` or `failed`
   */
  create(spec: MachineSpec, options?: CallOptions): Promise<Machine>;

  /**
   * Resolves when the machine shows its waiting screen and its guest agent answers.
   * @throws MachineError `not-ready` after `timeoutMs`, `not-found` when there is no such machine or it has ended
   */
  waitReady(machineId: string, timeoutMs: number, options?: CallOptions): Promise<Machine>;

  inspect(machineId: string): Promise<Machine | undefined>;

  /** All machines of this host, also those that an earlier process made. */
  list(): Promise<readonly Machine[]>;

  /** @throws MachineError `not-found`, or `guest-unresponsive` after the command's deadline */
  runInGuest(machineId: string, command: GuestCommand, options?: CallOptions): Promise<GuestResult>;

  /**
   * How full the file system that a guest has mounted there is; null when there is none. Costs the guest no process, so
   * it may be asked every minute. Never to be trusted: root of the desktop can have any answer given.
   * @throws MachineError `not-found`; `guest-unresponsive` after the deadline; `failed` when the guest refuses, e.g. while
   *   a view freezes it
   */
  fileSystemUsage(
    machineId: string,
    mountPoint: string,
    timeoutMs: number,
    options?: CallOptions,
  ): Promise<FileSystemUsage | null>;

  /** Asks the guest to draw at this size, in pixels. @throws MachineError as runInGuest */
  resizeDisplay(machineId: string, width: number, height: number, options?: CallOptions): Promise<void>;

  /**
   * Gives a running machine a volume as a read-only disk. Returns when the machine has it; its guest finds it some
   * milliseconds later. A volume of that id that it has already stays as it is. When it rejects, nothing of it is left.
   * While the server of the volume is away reads wait for it, for two minutes at most, then fail.
   * @throws MachineError `not-found`; `volume-unavailable` when nobody serves the volume there or the machine may not
   *   open it; `failed`
   */
  attachVolume(machineId: string, volume: MachineVolume, options?: VolumeCallOptions): Promise<void>;

  /**
   * Takes a volume away from a machine; also when it did not have it, or is gone itself. The guest is to have let go of
   * it before: what still reads it fails.
   * @throws MachineError `volume-busy` when the disk is still there at the deadline; the call can be repeated
   */
  detachVolume(machineId: string, volumeId: string, options?: VolumeCallOptions): Promise<void>;

  /**
   * Gives a running machine a volume as a disk that it may write. What it writes goes to a leaf of its own on this host,
   * encrypted under a key that only the machine's process has: it dies with it, or with `detachVolume`, which takes it
   * away like any other. A volume of that id that it may write already stays as it is. When it rejects, nothing of it is
   * left. While the server of the volume is away reads of what the machine did not write wait for it, as in
   * `attachVolume`; while a view is open, so do writes.
   *
   * From now on the machine's process outlives its guest: when that reboots or powers off, the machine has `ended` and
   * `onExit` tells so, but its writable volumes are still there to be viewed until `destroy`.
   * @throws MachineError as attachVolume; `failed` also when the disk would be smaller than what is served; `no-space`
   */
  attachWritableVolume(machineId: string, volume: WritableMachineVolume, options?: VolumeCallOptions): Promise<void>;

  /**
   * Holds a writable volume fast as it is at this moment, for reading, while its machine goes on writing. One view at a
   * time of each volume. The caller reads it with `VolumeView.open` (each driver knows how; nobody else sees a socket) and
   * says with `closeView` what became of it. Also of a machine that has ended, as long as `hasWritableVolume`. A guest
   * that does not freeze within two seconds is not waited for: the view is then as after a power cut. It always thaws.
   * A driver that starts drops all views that are open.
   * @throws MachineError `not-found`; `volume-busy` when one is open; `no-space`; `failed`. No view is left then.
   */
  viewVolume(machineId: string, volumeId: string, options?: ViewVolumeOptions): Promise<VolumeView>;

  /**
   * Ends a view. Of one that was dropped, all that it had as changed is so again in the next. One that is not open (any
   * more) is left alone, and so is what a machine or volume that is gone had.
   * @throws MachineError `failed` when the machine does not answer; the call can be repeated
   */
  closeView(
    machineId: string,
    volumeId: string,
    viewId: string,
    outcome: ViewOutcome,
    options?: VolumeCallOptions,
  ): Promise<void>;

  /** Ids of the volumes that a machine has, writable ones too, asked of itself. @throws MachineError `not-found`, `failed` */
  volumes(machineId: string): Promise<readonly string[]>;

  /**
   * Tells of each line that a guest writes to its port `org.goldleaf.apps.0`, also of machines adopted at `start`. Lines
   * that are longer than 200 bytes, that hold more than printable ASCII, or that come faster than some in a second are
   * dropped. While nobody listens guests wait with what they write.
   * @returns a function that ends the subscription
   */
  onGuestMessage(listener: (message: GuestMessage) => void): () => void;

  /** Ends the machine and destroys its leaf. Resolves when both are gone; also when they were gone before. */
  destroy(machineId: string, options?: CallOptions): Promise<void>;

  /**
   * Tells of every machine that ended without `destroy`, also of those that ended while no process watched (told
   * after `start`). The leaf is still there until `destroy`.
   * @returns a function that ends the subscription
   */
  onExit(listener: (exit: MachineExit) => void): () => void;
}
