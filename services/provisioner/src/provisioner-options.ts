import type { RetentionPolicy } from '#libs/contracts';

/** Injection token of `ProvisionerOptions`. */
export const PROVISIONER_OPTIONS = Symbol('goldleaf.provisioner.options');

export interface ProvisionerOptions {
  /** Name of the hypervisor host that this provisioner serves. */
  readonly hostName: string;
  /** Folder in which golden images are built on this host, absolute. */
  readonly imagesDir: string;
  /** Folder of the golden images that this host starts machines of, absolute; made and removed as they are needed. */
  readonly imageCopiesDir: string;
  /** Folder for files that are needed for a moment, absolute; emptied at each start. */
  readonly scratchDir: string;
  /** Which versions of profiles are kept. */
  readonly profileRetention: RetentionPolicy;
  /** How often the reconcilers look. */
  readonly reconcileIntervalMs: number;
}

/** Injection token of the `HypervisorDriver`. */
export const DRIVER = Symbol('goldleaf.provisioner.driver');
