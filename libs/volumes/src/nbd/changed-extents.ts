import type { BlockExtent } from '../block-extents.js';
import type { NbdStatusExtent } from './nbd-client-options.js';
import { allocation } from './protocol.js';

const DIRTY = 1;

/** What is dirty, and of that what is zeros. @param allocationOf asked once, from the first dirty byte to the last */
export async function changedExtents(
  bitmap: readonly NbdStatusExtent[],
  allocationOf: (offset: number, length: number) => Promise<readonly NbdStatusExtent[]>,
): Promise<readonly BlockExtent[]> {
  const dirty = bitmap.filter(({ flags }) => (flags & DIRTY) !== 0);
  const [first, last] = [dirty[0], dirty.at(-1)];
  if (!first || !last) return [];
  const allocated = await allocationOf(first.offset, last.offset + last.length - first.offset);
  const found: BlockExtent[] = [];
  let n = 0;
  for (const { offset, length } of dirty) {
    const end = offset + length;
    for (let at = offset; at < end; ) {
      const known = allocated[n];
      // Whatever nothing is known of is data.
      if (!known) {
        found.push({ offset: at, length: end - at, isHole: false });
        break;
      }
      const knownEnd = known.offset + known.length;
      if (knownEnd <= at) {
        n++;
        continue;
      }
      const to = Math.min(end, knownEnd);
      found.push({ offset: at, length: to - at, isHole: (known.flags & allocation.zero) !== 0 });
      at = to;
    }
  }
  return found;
}
