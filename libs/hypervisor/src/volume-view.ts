/** A range of a volume, in bytes. */
export interface ByteExtent {
  readonly offset: number;
  readonly length: number;
  /** Known to be zeros; what is not known may be zeros too. */
  readonly isHole?: boolean;
}

/** A view as its reader sees it. */
export interface VolumeViewReader {
  readonly sizeBytes: number;
  /** What may differ from the last view that was confirmed (from the served version before the first): sorted, apart. */
  readonly changed: readonly ByteExtent[];
  /** Several at a time are fine. Rejects when the view was closed, the machine is gone, or the reader itself is closed. */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Buffer>;
  close(): Promise<void>;
}

/** A writable volume as it was at one moment. It holds still until `closeView`, whatever its machine writes. */
export interface VolumeView {
  readonly id: string;
  readonly sizeBytes: number;
  /** For how long the guest could not write: from its word that the file system is frozen to the thaw. Null: not frozen. */
  readonly frozenMs: number | null;
  /**
   * Opens it for reading; several times, if need be. Reading needs no more than the machine's process, and what of the
   * served version was not written over comes from the server of the volume, through the machine.
   * @throws MachineError `failed` when it cannot be opened; the reason of the signal
   */
  open(signal?: AbortSignal): Promise<VolumeViewReader>;
}

/** An export of an NBD server, and the bitmap in it that tells what changed. */
export interface NbdViewExport {
  /** Unix socket; the path is good until the opener has settled. */
  readonly socketPath: string;
  readonly exportName: string;
  /** Offered as `qemu:dirty-bitmap:NAME`. */
  readonly bitmapName: string;
}

/** Opens such an export. Given to drivers whose views are served by NBD: `NbdClient` of `libs/volumes` does it. */
export type NbdViewOpener = (view: NbdViewExport, signal?: AbortSignal) => Promise<VolumeViewReader>;
