/** A range of a volume: holes are zeros that nobody needs to read. */
export interface BlockExtent {
  readonly offset: number;
  readonly length: number;
  readonly isHole: boolean;
}

/** What of a range is a hole, by blocks of one length, neighbours of one kind as one. */
export function blockExtents(
  offset: number,
  length: number,
  blockBytes: number,
  isHoleAt: (block: number) => boolean,
): readonly BlockExtent[] {
  const found: { offset: number; length: number; isHole: boolean }[] = [];
  const end = offset + length;
  for (let at = offset; at < end; ) {
    const block = Math.floor(at / blockBytes);
    const to = Math.min(end, (block + 1) * blockBytes);
    const isHole = isHoleAt(block);
    const last = found.at(-1);
    if (last?.isHole === isHole) last.length += to - at;
    else found.push({ offset: at, length: to - at, isHole });
    at = to;
  }
  return found;
}
