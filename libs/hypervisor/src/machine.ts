/** A golden image as it lies on the host, read-only. Paths are absolute. */
export interface MachineImage {
  /** Names the content; two versions never share it. */
  readonly digest: string;
  readonly rootDiskPath: string;
  readonly rootDiskFormat: 'raw' | 'qcow2';
  /** Size of the root disk's file; when given, another size counts as damage. */
  readonly rootDiskBytes?: number;
  /** Direct kernel boot. */
  readonly kernelPath: string;
  readonly initrdPath: string;
  readonly kernelArguments: string;
}

/** What machines forked from one parent have in common besides their image. */
export interface MachineShape {
  readonly vcpus: number;
  readonly memoryMiB: number;
}

export interface MachineSpec extends MachineShape {
  /** Chosen by the caller (a UUID), so that a repeated call makes no second machine. */
  readonly id: string;
  readonly image: MachineImage;
  /** Name the guest shows as its own. */
  readonly hostname: string;
}

/** Where the machine's screen is to be had, from its own host only. */
export interface MachineDisplay {
  readonly protocol: 'vnc';
  readonly host: string;
  readonly port: number;
  /** Random for each machine. Secret: never logged, never in argv. */
  readonly password: string;
}

/** How a machine was started. */
export interface MachineStart {
  readonly method: 'fork' | 'boot';
  /**
   * From the order (`create` begun, a parent that had to be made first included) until the guest runs: a forked one
   * shows its screen then, a booted one begins to boot.
   */
  readonly durationMs: number;
}

export interface Machine {
  readonly id: string;
  /**
   * `ended`: the guest powered off or rebooted, or its process died; only `destroy` is left to do, and what its
   * writable volumes need when `hasWritableVolume`.
   */
  readonly state: 'running' | 'ended';
  readonly imageDigest: string;
  /** Absent once ended. */
  readonly display?: MachineDisplay;
  readonly startedAt: Date;
  /** Absent of machines made before it was kept. */
  readonly start?: MachineStart;
  /** It was adopted and runs, but does not answer its host: nothing is known of what it does. */
  readonly isDoubtful?: true;
  /**
   * It has a volume that it may write, and its process lives: its volumes can be viewed, also when it has ended. Nothing
   * else holds what was written since the last view.
   */
  readonly hasWritableVolume?: true;
}

/** What a running machine holds of its host's memory. */
export interface MachineUsage {
  readonly machineId: string;
  /** Its alone: what the host would get back. */
  readonly privateMiB: number;
  /** What others hold too, counted whole for each. */
  readonly sharedMiB: number;
  /** Private, and of what is shared its part: over all machines these add up to what is really held. */
  readonly proportionalMiB: number;
}

export type MachineExitReason = 'guest-reboot' | 'guest-poweroff' | 'killed';

export interface MachineExit {
  readonly machineId: string;
  readonly reason: MachineExitReason;
}
