import type { VolumeReader } from '../volume-reader.js';

export interface StatusExtent {
  length: number;
  readonly isHole: boolean;
}

/** An answer may end before what was asked does; this bounds its size. */
const LONGEST_RANGE_BYTES = 1 << 30;
const MAX_EXTENTS = 4096;

/** What of a range is a hole, neighbours of one kind as one. At least one extent for a range that is not empty. */
export function blockStatus(reader: VolumeReader, offset: number, length: number, onlyOne: boolean): StatusExtent[] {
  const found: StatusExtent[] = [];
  for (const extent of reader.extents(offset, Math.min(length, LONGEST_RANGE_BYTES))) {
    const last = found.at(-1);
    if (last?.isHole === extent.isHole) last.length += extent.length;
    else if (found.length === (onlyOne ? 1 : MAX_EXTENTS)) break;
    else found.push({ length: extent.length, isHole: extent.isHole });
  }
  return found;
}
