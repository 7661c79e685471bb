import { chmod, chown, lstat, mkdtemp, open, readdir, rename, rm } from 'node:fs/promises';
import { createConnection, type Server } from 'node:net';
import { basename, dirname, join } from 'node:path';
import type { NbdSocketAccess } from './nbd-options.js';

/** A unix socket's address holds 107 bytes. */
const LONGEST_ADDRESS_BYTES = 107;
const MAKING = '.nbd-making-';

/** Where a server listens. `inode` tells its socket from another's that has taken the path since. */
export interface ListeningSocket {
  readonly path: string;
  readonly inode: number;
}

/**
 * Listens on a unix socket that appears under its path only with its owner and mode. One that a dead server left there
 * is replaced.
 * @throws when another server listens there, or the path is too long
 */
export async function listenOnUnixSocket(
  server: Server,
  path: string,
  { uid = -1, gid = -1, mode = 0o600 }: NbdSocketAccess = {},
): Promise<ListeningSocket> {
  if (Buffer.byteLength(path) > LONGEST_ADDRESS_BYTES) {
    throw new Error(`a unix socket's path has at most ${LONGEST_ADDRESS_BYTES} bytes: ${path}`);
  }
  if (await isServed(path)) throw new Error(`another server listens on ${path}`);
  const folderPath = dirname(path);
  // A folder that only we can enter: nobody can connect before the mode is set.
  const making = await mkdtemp(join(folderPath, MAKING));
  const folder = await open(making, 'r');
  try {
    // Its own name everywhere, as Node removes it by this address when the server closes.
    const name = basename(making);
    await listening(server, `/proc/self/fd/${folder.fd}/${name}`);
    const made = join(making, name);
    await chown(made, uid, gid);
    await chmod(made, mode);
    const { ino } = await lstat(made);
    await rename(made, path);
    return { path, inode: ino };
  } catch (error) {
    server.close();
    throw error;
  } finally {
    await folder.close();
    await rm(making, { recursive: true, force: true });
  }
}

/** Removes the socket, unless another server has put its own there. */
export async function removeSocket({ path, inode }: ListeningSocket): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.ino === inode) await rm(path, { force: true });
}

/** Removes the sockets in a folder that no server listens on any more. @returns their names */
export async function sweepDeadSockets(folder: string): Promise<string[]> {
  const swept: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    const isLeftover = entry.isDirectory() && entry.name.startsWith(MAKING);
    const isDead = entry.isSocket() && !(await isServed(path));
    if (!isDead && !isLeftover) continue;
    await rm(path, { recursive: true, force: true });
    swept.push(entry.name);
  }
  return swept;
}

function listening(server: Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Whether someone listens there. A full backlog and a lack of rights count as someone. */
function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}
