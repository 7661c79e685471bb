import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Root of this repository, whether this file runs from its source or from `dist`. */
export const repository = ((): string => {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
})();
