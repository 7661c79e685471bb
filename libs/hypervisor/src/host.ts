export interface DriverCapabilities {
  /** How guests run: hardware virtualisation, software emulation, or not at all (the fake). */
  readonly accelerator: 'kvm' | 'tcg' | 'none';
  /** Whether machines are forked from a saved parent; otherwise they boot as linked clones. */
  readonly forks: boolean;
  /** Whether memory of machines may come to lie in the host's swap, and so on a disk. Known once started. */
  readonly mayBeSwapped: boolean;
}

export interface HostCapacity {
  readonly vcpus: number;
  readonly memoryMiB: number;
  readonly availableMemoryMiB: number;
  /** Free space where leaves are kept. */
  readonly availableDiskMiB: number;
}
