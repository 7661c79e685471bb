import { randomUUID } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { link, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SharedRun } from '#libs/kernel';
import { errorCodeOf } from '../error-code.js';
import { checkKey, checkPrefix, type ObjectFacts, type ObjectStore, type PutResult } from '../object-store.js';
import { VolumeError } from '../volume-error.js';
import { syncFolder } from './sync-folder.js';

/** Begins with a dot, which no key does. */
const UNFINISHED = '.unfinished';
const UNFINISHED_KEPT_MS = 24 * 3_600_000;

/**
 * Objects as files of one folder. A file is written beside, synced, and then linked under its name, so a name never
 * shows less than the whole object; the folder is synced before `put` resolves. Processes and hosts may share it.
 */
export class DirectoryObjectStore implements ObjectStore {
  /** Those who wait for the same folder share a sync. */
  private readonly folderSyncs = new SharedRun();
  private readonly made = new Map<string, Promise<void>>();
  private readonly unfinished: string;

  constructor(private readonly root: string) {
    this.unfinished = join(root, UNFINISHED);
  }

  async put(key: string, bytes: Uint8Array, { signal }: { signal?: AbortSignal } = {}): Promise<PutResult> {
    const path = this.pathOf(key);
    signal?.throwIfAborted();
    return failingPlainly(key, async () => {
      await Promise.all([this.makeFolder(this.unfinished), this.makeFolder(dirname(path))]);
      const aside = join(this.unfinished, randomUUID());
      try {
        const file = await open(aside, 'wx', 0o444);
        try {
          await file.writeFile(bytes);
          await file.sync();
        } finally {
          await file.close();
        }
        signal?.throwIfAborted();
        const result = await linkOnce(aside, path);
        // Also when it existed: whoever made it may not have come that far.
        await this.syncFolder(dirname(path));
        return result;
      } catch (error) {
        // Someone may have removed a folder that this process made.
        if (isMissing(error)) this.made.clear();
        throw error;
      } finally {
        await rm(aside, { force: true });
      }
    });
  }

  async get(key: string, { signal }: { signal?: AbortSignal } = {}): Promise<Uint8Array> {
    const path = this.pathOf(key);
    signal?.throwIfAborted();
    return failingPlainly(key, async () => {
      try {
        return await readFile(path, { signal });
      } catch (error) {
        signal?.throwIfAborted();
        throw isMissing(error)
          ? new VolumeError('object-missing', `${key} is not in the store`, { cause: error })
          : error;
      }
    });
  }

  async has(key: string, { signal }: { signal?: AbortSignal } = {}): Promise<boolean> {
    const path = this.pathOf(key);
    signal?.throwIfAborted();
    return failingPlainly(key, async () => {
      try {
        return (await stat(path)).isFile();
      } catch (error) {
        if (isMissing(error)) return false;
        throw error;
      }
    });
  }

  async *list(prefix: string, { signal }: { signal?: AbortSignal } = {}): AsyncIterable<ObjectFacts> {
    checkPrefix(prefix);
    yield* this.listFolder(prefix.slice(0, -1), signal);
  }

  async delete(key: string): Promise<void> {
    const path = this.pathOf(key);
    await failingPlainly(key, async () => {
      try {
        await rm(path);
      } catch (error) {
        if (isMissing(error)) return;
        throw error;
      }
      await this.syncFolder(dirname(path));
    });
  }

  async sweepUnfinished(olderThanMs = UNFINISHED_KEPT_MS): Promise<number> {
    let swept = 0;
    for (const entry of await entriesOf(this.unfinished)) {
      const path = join(this.unfinished, entry.name);
      const facts = await statOrNothing(path);
      if (!facts || facts.mtimeMs > Date.now() - olderThanMs) continue;
      await rm(path, { force: true });
      swept++;
    }
    return swept;
  }

  close(): void {}

  private async *listFolder(folder: string, signal?: AbortSignal): AsyncIterable<ObjectFacts> {
    const entries = await failingPlainly(folder, () => entriesOf(join(this.root, folder)));
    for (const entry of entries) {
      signal?.throwIfAborted();
      if (entry.name.startsWith('.')) continue;
      const key = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        yield* this.listFolder(key, signal);
        continue;
      }
      const facts = await failingPlainly(key, () => statOrNothing(join(this.root, key)));
      if (facts?.isFile()) yield { key, bytes: facts.size, modifiedAt: facts.mtime };
    }
  }

  private syncFolder(path: string): Promise<void> {
    return this.folderSyncs.run(path, () => syncFolder(path));
  }

  private pathOf(key: string): string {
    checkKey(key);
    return join(this.root, key);
  }

  /** Makes the folder and those above it, each durable in the one above. */
  private makeFolder(path: string): Promise<void> {
    const before = this.made.get(path);
    if (before) return before;
    const making = (async () => {
      const firstMade = await mkdir(path, { recursive: true });
      if (firstMade === undefined) return;
      for (let at = path; ; at = dirname(at)) {
        await this.syncFolder(dirname(at));
        if (at === firstMade || at === dirname(at)) return;
      }
    })();
    this.made.set(path, making);
    making.catch(() => this.made.delete(path));
    return making;
  }
}

async function linkOnce(from: string, to: string): Promise<PutResult> {
  try {
    await link(from, to);
    return 'created';
  } catch (error) {
    if (errorCodeOf(error) === 'EEXIST') return 'existed';
    throw error;
  }
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function statOrNothing(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

const isMissing = (error: unknown): boolean => errorCodeOf(error) === 'ENOENT';

async function failingPlainly<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = errorCodeOf(error);
    if (error instanceof VolumeError || code === undefined) throw error;
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new VolumeError('no-space', `no space is left in the store for ${what}`, { cause: error });
    }
    throw new VolumeError('store-unavailable', `the store fails at ${what}: ${code}`, { cause: error });
  }
}
