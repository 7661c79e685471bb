import { createHash } from 'node:crypto';

/** The SCSI adapter that volumes are plugged into; part of every machine, and of the parent it is forked from. */
export const VOLUME_BUS = 'volumes.0';
export const DEVICE_PREFIX = 'volume-';
/** A bitmap of a leaf; the rest of its name is the id of the view that it is for, open or to come. */
export const BITMAP_PREFIX = 'changes-';

/** What QEMU knows the parts of a volume as. Names of block nodes have at most 31 characters. */
export interface VolumeNames {
  readonly device: string;
  /** The node of what is served. */
  readonly served: string;
  /** An object that is there while the volume is being taken away: what reads it fails then. */
  readonly leaving: string;
  /** Of a writable volume: the node over it, its secret and its file. */
  readonly leaf: string;
  readonly leafKey: string;
  readonly leafFile: `volume-${string}.luks`;
  /** Of a view: the node that keeps what the leaf has no longer, its secret and file, the job that fills it, its export. */
  readonly view: string;
  readonly viewKey: string;
  readonly viewFile: `view-${string}.luks`;
  readonly viewJob: string;
  readonly viewExport: string;
}

export function volumeNames(volumeId: string): VolumeNames {
  const short = createHash('sha256').update(volumeId).digest('hex').slice(0, 30);
  return {
    device: `${DEVICE_PREFIX}${volumeId}`,
    served: `v${short}`,
    leaving: `leaving-${short}`,
    leaf: `w${short}`,
    leafKey: `volume-key-${short}`,
    leafFile: `volume-${short}.luks`,
    view: `x${short}`,
    viewKey: `view-key-${short}`,
    viewFile: `view-${short}.luks`,
    viewJob: `view-job-${short}`,
    viewExport: `view-export-${short}`,
  };
}

export const bitmapName = (viewId: string): string => `${BITMAP_PREFIX}${viewId}`;
