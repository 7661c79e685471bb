import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { StoreConfig } from './app-config.js';

/** The volume store of one machine: a folder in its state folder. @param stateDir absolute */
export function storeBelow(stateDir: string, cacheBytes = 2 ** 31): StoreConfig {
  return { url: pathToFileURL(join(stateDir, 'store')).href, accessKey: undefined, secretKey: undefined, cacheBytes };
}
