import { randomUUID } from 'node:crypto';
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ChunkForm } from '../chunk/chunk-form.js';
import type { ChunkSource } from '../chunk/chunk-source.js';
import type { Digest } from '../chunk/digest.js';
import { syncFolder } from '../directory/sync-folder.js';
import { errorCodeOf } from '../error-code.js';
import { forEachParallel } from '../parallel.js';
import type { Manifest, ManifestChunk } from '../version/manifest.js';
import { VolumeError } from '../volume-error.js';

const CHUNKS_AT_ONCE = 8;
const ENDING = '.unfinished';
const UNFINISHED_KEPT_MS = 24 * 3_600_000;

export interface MaterialiseProgress {
  /** Content of the version that is not holes. */
  readonly dataBytes: number;
  readonly fetchedBytes: number;
  /** Taken from the local base. */
  readonly copiedBytes: number;
}

/** A file on this host that holds a version, or once did: what is taken from it is verified. */
export interface MaterialiseBase {
  readonly path: string;
  readonly manifest: Manifest;
}

export interface MaterialiseRequest {
  readonly manifest: Manifest;
  /** Of its chunks. */
  readonly form: ChunkForm;
  readonly path: string;
  readonly base?: MaterialiseBase;
  /** Of the finished file. */
  readonly mode: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: MaterialiseProgress) => void;
}

/** Makes a sparse file of a version. It appears under its path whole and durable, in the place of what was there. */
export async function materialise(source: ChunkSource, request: MaterialiseRequest): Promise<MaterialiseProgress> {
  const { manifest, form, path, base, signal, onProgress } = request;
  const progress = { dataBytes: manifest.dataBytes, fetchedBytes: 0, copiedBytes: 0 };
  await removeOldUnfinished(path);
  const aside = `${path}.${randomUUID()}${ENDING}`;
  const file = await open(aside, 'wx', 0o600);
  let baseFile: FileHandle | undefined;
  try {
    await file.truncate(manifest.sizeBytes);
    baseFile = base && (await open(base.path, 'r').catch(() => undefined));
    const positions = base && baseFile ? positionsOf(base.manifest) : new Map<Digest, number>();
    await forEachParallel(manifest.chunks(), CHUNKS_AT_ONCE, async (chunk) => {
      signal?.throwIfAborted();
      const copied = baseFile && (await readBase(baseFile, positions.get(chunk.digest), chunk, form));
      const content = copied ?? (await source.load(chunk, form, signal));
      await writeAll(file, content, chunk.index * manifest.chunkBytes);
      progress[copied ? 'copiedBytes' : 'fetchedBytes'] += chunk.bytes;
      onProgress?.({ ...progress });
    });
    signal?.throwIfAborted();
    await file.chmod(request.mode);
    await file.sync();
    await rename(aside, path);
    await syncFolder(dirname(path));
    return progress;
  } catch (error) {
    if (errorCodeOf(error) !== 'ENOSPC') throw error;
    throw new VolumeError('no-space', `no space is left for ${path}`, { cause: error });
  } finally {
    await Promise.all([file.close(), baseFile?.close()]);
    await rm(aside, { force: true });
  }
}

function positionsOf(manifest: Manifest): Map<Digest, number> {
  const positions = new Map<Digest, number>();
  for (const { digest, index } of manifest.chunks()) positions.set(digest, index * manifest.chunkBytes);
  return positions;
}

/** Undefined when the base does not hold this chunk there, whatever its manifest says. */
async function readBase(
  file: FileHandle,
  position: number | undefined,
  { digest, bytes }: ManifestChunk,
  form: ChunkForm,
): Promise<Buffer | undefined> {
  if (position === undefined) return undefined;
  const content = Buffer.allocUnsafe(bytes);
  try {
    const { bytesRead } = await file.read(content, 0, bytes, position);
    return bytesRead === bytes && (await form.name(content)).digest === digest ? content : undefined;
  } catch {
    return undefined;
  }
}

async function writeAll(file: FileHandle, content: Buffer, position: number): Promise<void> {
  for (let done = 0; done < content.length; ) {
    done += (await file.write(content, done, content.length - done, position + done)).bytesWritten;
  }
}

/** What was left by processes that were killed. */
async function removeOldUnfinished(path: string): Promise<void> {
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(`${basename(path)}.`) || !name.endsWith(ENDING)) continue;
    const left = join(dirname(path), name);
    const facts = await stat(left).catch(() => undefined);
    if (facts && facts.mtimeMs < Date.now() - UNFINISHED_KEPT_MS) await rm(left, { force: true });
  }
}
