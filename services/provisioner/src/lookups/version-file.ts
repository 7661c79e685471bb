import { constants } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { UndoStack } from '#libs/kernel';
import { NbdExports, NbdServer, type VolumeReader } from '#libs/volumes';
import { FuseExport } from './fuse-export.js';
import { LookupFailed } from './lookup-failure.js';

/** Injection token of the folder in which versions appear for moments: a short path, as a socket lies there too. */
export const LOOKUP_FOLDER = Symbol('goldleaf.provisioner.lookup-folder');

/** Of Linux: a file without a name, which goes with its last descriptor. */
const O_TMPFILE = 0o20200000;
const MEMORY_FOLDER = '/dev/shm';
const FUSE = '/dev/fuse';
const EXPORT_NAME = 'version';

/** How the folders of version files begin, and what is in them. */
export const VERSION_FOLDER = 'goldleaf-look-';
export const VERSION_FILE = 'version';

/** A version of a volume as a file of this host. */
export interface VersionFile {
  /** Readable and writable by this user alone; what is written is forgotten. */
  readonly path: string;
  /** Takes everything down again; never fails. The reader stays the caller's. */
  close(): Promise<void>;
}

export interface VersionFileOptions {
  /** Where a folder is made for it; see `LOOKUP_FOLDER`. */
  readonly parent: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Makes a version readable to programs that take files, without copying it: what they read is fetched then, and nothing
 * of it reaches a disk of this host. What they write is kept in memory.
 * @throws LookupFailed `unsupported` where this host cannot; the signal's reason. Nothing is left then.
 */
export async function openVersionFile(reader: VolumeReader, options: VersionFileOptions): Promise<VersionFile> {
  const { logger } = options;
  await requireFuse();
  const undo = new UndoStack();
  const close = async () => {
    await undo.unwind().catch((error: unknown) => logger.error({ err: error }, 'a lookup has left something behind'));
  };
  try {
    return { path: await mount(reader, undo, options), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Also where there is a device that may not be used, as in containers. */
async function requireFuse(): Promise<void> {
  try {
    await (await open(FUSE, 'r+')).close();
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new LookupFailed('unsupported', `this host cannot look into profiles, for want of FUSE: ${reason}`, {
      cause,
    });
  }
}

async function mount(
  reader: VolumeReader,
  undo: UndoStack,
  { parent, logger, signal }: VersionFileOptions,
): Promise<string> {
  const folder = await mkdtemp(join(parent, VERSION_FOLDER));
  undo.add('the folder', () => rm(folder, { recursive: true, force: true }));

  const exports = new NbdExports();
  exports.add(EXPORT_NAME, reader);
  const socketPath = join(folder, 'nbd.sock');
  const server = new NbdServer({ socketPath, exports, logger });
  await server.start();
  undo.add('the export', () => server.close());

  const overlay = await open(MEMORY_FOLDER, constants.O_RDWR | O_TMPFILE, 0o600);
  undo.add('the overlay', () => overlay.close());
  const mountPoint = join(folder, VERSION_FILE);
  await writeFile(mountPoint, '', { mode: 0o600 });
  const { sizeBytes } = reader;
  const options = { socketPath, exportName: EXPORT_NAME, sizeBytes, overlay: overlay.fd, mountPoint, signal };
  const fuse = await FuseExport.start(options);
  undo.add('the mount', () => fuse.close());
  return mountPoint;
}
