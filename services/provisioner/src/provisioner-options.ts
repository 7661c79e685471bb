/** Injection token of `ProvisionerOptions`. */
export const PROVISIONER_OPTIONS = Symbol('goldleaf.provisioner.options');

export interface ProvisionerOptions {
  /** Name of the hypervisor host that this provisioner serves. */
  readonly hostName: string;
  /** Folder of the golden images of this host, absolute. */
  readonly imagesDir: string;
  /** How often the reconcilers look. */
  readonly reconcileIntervalMs: number;
}

/** Injection token of the `HypervisorDriver`. */
export const DRIVER = Symbol('goldleaf.provisioner.driver');
