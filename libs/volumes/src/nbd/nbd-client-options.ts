export interface NbdClientOptions {
  /** To be asked for with `blockStatus`; connecting fails when the server has not all of them. */
  readonly metaContexts?: readonly string[];
  /** For connecting. */
  readonly signal?: AbortSignal;
  /** How long the server may take to open the export, and for each answer. */
  readonly deadlineMs?: number;
}

/** A range with the flags that a meta context gives it. */
export interface NbdStatusExtent {
  readonly offset: number;
  readonly length: number;
  readonly flags: number;
}

/** The meta context of a dirty bitmap of QEMU's. */
export const dirtyBitmapContext = (bitmapName: string): string => `qemu:dirty-bitmap:${bitmapName}`;
