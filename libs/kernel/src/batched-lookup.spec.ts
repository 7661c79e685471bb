import { expect, it } from '@jest/globals';
import { batchedLookup } from './batched-lookup.js';

it('gives each the row of its own key, whatever the order of the rows, and nothing where there is none', async () => {
  const asked: string[][] = [];
  const lookup = batchedLookup(
    async (names: readonly string[]) => {
      asked.push([...names]);
      return [{ name: 'b' }, { name: 'a' }].filter(({ name }) => names.includes(name));
    },
    ({ name }) => name,
  );
  const found = await Promise.all(['a', 'b', 'none', 'b'].map((name) => lookup.add(name)));
  expect(found).toEqual([{ name: 'a' }, { name: 'b' }, undefined, { name: 'b' }]);
  expect(asked).toEqual([['a'], ['b', 'none', 'b']]);
});
