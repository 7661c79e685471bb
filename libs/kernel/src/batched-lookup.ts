import { Batcher } from './batcher.js';

/**
 * Reads by key, those who look at the same moment together. `add` gives the row of the key, or undefined.
 * @param read the rows there are of these keys, in any order
 */
export const batchedLookup = <Key, Row>(
  read: (keys: readonly Key[]) => Promise<readonly Row[]>,
  keyOf: (row: Row) => Key,
): Batcher<Key, Row | undefined> =>
  new Batcher(async (keys) => {
    const rows = new Map((await read(keys)).map((row) => [keyOf(row), row]));
    return keys.map((key) => rows.get(key));
  });
