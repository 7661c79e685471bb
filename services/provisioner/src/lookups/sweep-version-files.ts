import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { unmount } from './unmount.js';
import { VERSION_FILE, VERSION_FOLDER } from './version-file.js';

/**
 * Takes away what version files left whose daemon was killed together with its provisioner. Those that are in use, by
 * whichever process, stay. Never rejects.
 */
export async function sweepVersionFiles(parent: string, logger: Logger): Promise<void> {
  try {
    const folders = (await readdir(parent)).filter((name) => name.startsWith(VERSION_FOLDER));
    for (const name of folders) {
      const folder = join(parent, name);
      if (!(await isDead(join(folder, VERSION_FILE)))) continue;
      await unmount(join(folder, VERSION_FILE));
      await rm(folder, { recursive: true, force: true });
    }
  } catch (error) {
    logger.warn({ err: error }, 'what looks into profiles have left behind was not taken away');
  }
}

/** Only what was a mount and has lost its daemon answers like that. */
async function isDead(path: string): Promise<boolean> {
  try {
    await stat(path);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOTCONN';
  }
}
