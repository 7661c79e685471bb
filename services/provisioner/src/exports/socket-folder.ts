import { createHash } from 'node:crypto';
import { chmod, chown, lstat, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MachineUser } from '#libs/hypervisor';
import { sweepDeadSockets } from '#libs/volumes';

/** A unix socket's address holds 107 bytes, of which a machine's id takes 36 and the slash before it one. */
const LONGEST_FOLDER_BYTES = 107 - 37;

/**
 * Makes the folder of the export sockets, and clears away what dead servers left in it. Only the user that machines run
 * as may enter it, and not even they may put anything there. The same state folder has the same sockets in each process:
 * machines outlive this one and connect to them again.
 * @throws when the folder belongs to somebody else
 */
export async function openSocketFolder(stateDir: string, user: MachineUser | undefined): Promise<string> {
  const folder = socketFolderOf(stateDir);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await lstat(folder);
  // In a place where everybody may make folders somebody else may have been first.
  if (!found.isDirectory() || found.uid !== process.getuid?.()) throw new Error(`${folder} is not a folder of ours`);
  if (user) await chown(folder, -1, user.gid);
  await chmod(folder, user ? 0o710 : 0o700);
  await sweepDeadSockets(folder);
  return folder;
}

/** Below the state folder, unless a socket's address could not hold that. */
export function socketFolderOf(stateDir: string): string {
  const own = join(stateDir, 'exports');
  if (Buffer.byteLength(own) <= LONGEST_FOLDER_BYTES) return own;
  const digest = createHash('sha256').update(stateDir).digest('hex').slice(0, 16);
  return join(tmpdir(), `goldleaf-exports-${digest}`);
}
