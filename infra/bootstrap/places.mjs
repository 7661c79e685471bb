import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmdirSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { SetUpError } from './progress.mjs';

/** The folder of the repository. */
export const root = resolve(import.meta.dirname, '../..');

export const isRoot = process.getuid?.() === 0;

/**
 * Makes the state folder. When we are root, servers and machines run as other users, who must be able to get there: of
 * a folder below a private one (a clone in /root) the real place is in /var/lib/goldleaf, and a link stands for it.
 * @returns {{ folder: string, told: string | undefined }} the real folder, absolute
 */
export function makeStateFolder() {
  const wanted = resolve(root, process.env.GOLDLEAF_STATE_DIR || '.goldleaf');
  if (!isRoot) {
    mkdirSync(wanted, { recursive: true, mode: 0o711 });
    return { folder: realpathSync(wanted), told: undefined };
  }
  if (lstatSync(wanted, { throwIfNoEntry: false })?.isSymbolicLink()) {
    const folder = mkdirAt(linkTarget(wanted));
    return { folder, told: undefined };
  }
  if (isOpenToAll(dirname(wanted))) return { folder: mkdirAt(wanted), told: undefined };
  if (existsSync(wanted)) {
    if (readdirSync(wanted).length > 0) {
      throw new SetUpError(
        `other users cannot reach ${wanted}, but the servers run as users of their own. ` +
          'Move it away, or set GOLDLEAF_STATE_DIR to a folder that others may pass through.',
      );
    }
    rmdirSync(wanted);
  }
  const name = createHash('sha256').update(wanted).digest('hex').slice(0, 12);
  const folder = mkdirAt(`/var/lib/goldleaf/${name}`);
  mkdirSync(dirname(wanted), { recursive: true });
  symlinkSync(folder, wanted);
  return { folder, told: `kept in ${folder}, as other users cannot reach ${dirname(wanted)}` };
}

/** @param {string} link */
function linkTarget(link) {
  try {
    return realpathSync(link);
  } catch {
    throw new SetUpError(`${link} is a link to a folder that is not there any more: remove the link`);
  }
}

/** @param {string} folder */
function mkdirAt(folder) {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  // Passed through by the servers' users, listed by nobody else. What is secret in it has modes of its own.
  chmodSync(folder, 0o711);
  return realpathSync(folder);
}

/** True when others may pass through `folder` and all above it. @param {string} folder */
function isOpenToAll(folder) {
  for (let path = folder; path !== dirname(path); path = dirname(path)) {
    const facts = statSync(path, { throwIfNoEntry: false });
    if (facts && (facts.mode & 0o001) === 0) return false;
  }
  return true;
}

/** Where a program is, or undefined. @param {string} name */
export function findProgram(name) {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => folders.length > 0 && existsSync(path));
}
