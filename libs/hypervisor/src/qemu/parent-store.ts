import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import type { Logger } from 'pino';
import { KeyedLock } from '#libs/kernel';
import { MachineError } from '../machine-error.js';
import { sweepUnfinished } from './adopt-machines.js';
import { WrongGuestClock } from './guest-clock.js';
import { asMachineError, type MachineMaking } from './machine-making.js';
import { makeParent } from './make-parent.js';
import { ParentFolder, type ParentRecord, parentFileNames } from './parent-folder.js';
import { type ParentInputs, parentKey } from './parent-key.js';
import { readQemuVersion } from './qemu-version.js';
import { hashSparseFile } from './saved-file.js';

/** How often a parent is booted until its clock is right. */
const BOOTS = 3;

export interface ParentStoreOptions {
  readonly parentsDir: string;
  readonly logger: Logger;
  readonly bootTimeoutMs: number;
  /** After a parent could not be made, machines boot for this long before it is tried again. */
  readonly retryMs: number;
  /** A parent without children is kept for this long after its last use. */
  readonly keepUnusedMs: number;
  /** Keys of the parents whose children live. */
  readonly inUse: () => ReadonlySet<string>;
}

/**
 * The saved machines of this host that others are forked from. Each is checked whole once before its first use by this
 * process, and by size and time at every use: one that changed is made anew.
 */
export class ParentStore {
  private readonly ready = new Map<string, ParentRecord>();
  private readonly making = new Map<string, Promise<ParentFolder>>();
  private readonly failures = new Map<string, { readonly error: MachineError; readonly until: number }>();
  private readonly oneAtATime = new KeyedLock();
  private stopping = new AbortController();
  private version: string | undefined;

  constructor(private readonly options: ParentStoreOptions) {}

  async start(making: Pick<MachineMaking, 'processes' | 'qemuCommand'>): Promise<void> {
    this.stopping = new AbortController();
    await mkdir(this.options.parentsDir, { recursive: true, mode: 0o711 });
    await sweepUnfinished(this.options.parentsDir, making.processes, this.options.logger);
    await this.sweep(making.qemuCommand);
  }

  /** Gives up what is being made; nothing of it is left. */
  async stop(): Promise<void> {
    this.stopping.abort(new MachineError('failed', 'the driver was stopped'));
    await Promise.allSettled(this.making.values());
    this.ready.clear();
  }

  /**
   * The parent for these machines, made when there is none. However many ask at once, it is made once, and goes on
   * being made when they give up waiting.
   * @throws MachineError, at once for a while after it could not be made; the reason of the signal
   */
  async get(
    making: MachineMaking,
    wanted: Omit<ParentInputs, 'qemuVersion'>,
    signal?: AbortSignal,
  ): Promise<ParentFolder> {
    this.version ??= await readQemuVersion(making.qemuCommand);
    const inputs = { ...wanted, qemuVersion: this.version };
    const key = parentKey(inputs);
    const folder = new ParentFolder(this.options.parentsDir, key);
    const known = this.ready.get(key);
    if (known && (await looksUnchanged(folder, known))) {
      await utimes(folder.dir, new Date(), new Date());
      return folder;
    }
    this.ready.delete(key);
    const failure = this.failures.get(key);
    if (failure && failure.until > Date.now()) throw failure.error;
    let promise = this.making.get(key);
    if (!promise) {
      promise = this.oneAtATime.run('parent', () => this.provide(making, inputs, folder));
      this.making.set(key, promise);
      const done = () => void this.making.delete(key);
      promise.then(done, done);
    }
    return abortable(promise, signal);
  }

  /** A child could not be forked: the parent is checked whole before its next use, and QEMU asked for its version. */
  distrust(key: string): void {
    this.version = undefined;
    this.ready.delete(key);
  }

  private async provide(making: MachineMaking, inputs: ParentInputs, folder: ParentFolder): Promise<ParentFolder> {
    const { logger, retryMs } = this.options;
    const startedAt = Date.now();
    const about = { parent: folder.key, image: inputs.image.digest, ...inputs.shape };
    try {
      let record = await folder.readRecord();
      if (record && !(await isWhole(folder, record))) {
        logger.warn(about, 'a parent is damaged and is made anew');
        record = undefined;
      }
      if (!record) {
        record = await this.make(making, inputs, about);
        logger.info({ ...about, durationMs: Date.now() - startedAt }, 'parent saved');
      }
      this.ready.set(folder.key, record);
      this.failures.delete(folder.key);
      await utimes(folder.dir, new Date(), new Date());
      await this.sweep(making.qemuCommand);
      return folder;
    } catch (cause) {
      const error = asMachineError(cause, 'the parent');
      if (!this.stopping.signal.aborted) {
        this.failures.set(folder.key, { error, until: Date.now() + retryMs });
        logger.error({ ...about, err: error }, 'a parent could not be made; machines boot meanwhile');
      }
      throw error;
    }
  }

  private async make(making: MachineMaking, inputs: ParentInputs, about: object): Promise<ParentRecord> {
    const { logger, parentsDir, bootTimeoutMs } = this.options;
    for (let boot = 1; ; boot++) {
      try {
        return await makeParent(making, parentsDir, inputs, { bootTimeoutMs, signal: this.stopping.signal });
      } catch (error) {
        if (!(error instanceof WrongGuestClock) || boot === BOOTS) throw error;
        logger.warn({ ...about, boot, err: error }, 'a parent is booted again');
      }
    }
  }

  /** Removes parents without children that nothing will fork from again: unused for long, or of another QEMU. */
  private async sweep(qemuCommand: string): Promise<void> {
    const { parentsDir, keepUnusedMs, inUse, logger } = this.options;
    this.version ??= await readQemuVersion(qemuCommand).catch(() => undefined);
    for (const key of await readdir(parentsDir)) {
      if (!/^[0-9a-f]{40}$/.test(key) || inUse().has(key)) continue;
      const folder = new ParentFolder(parentsDir, key);
      const record = await folder.readRecord();
      const { mtimeMs } = await stat(folder.dir);
      const hasImage = record && (await stat(record.rootDiskPath).catch(() => undefined)) !== undefined;
      const isOfThisQemu = this.version === undefined || record?.qemuVersion === this.version;
      if (hasImage && isOfThisQemu && Date.now() - mtimeMs < keepUnusedMs) continue;
      this.ready.delete(key);
      await rm(folder.dir, { recursive: true, force: true });
      logger.info({ parent: key }, 'swept a parent that nothing uses');
    }
  }
}

async function looksUnchanged(folder: ParentFolder, record: ParentRecord): Promise<boolean> {
  for (const name of parentFileNames) {
    const found = await stat(folder.path(name)).catch(() => undefined);
    const { bytes, modifiedMs } = record.files[name];
    if (found?.size !== bytes || found.mtimeMs !== modifiedMs) return false;
  }
  return true;
}

async function isWhole(folder: ParentFolder, record: ParentRecord): Promise<boolean> {
  if (record.key !== folder.key || !(await looksUnchanged(folder, record))) return false;
  for (const name of parentFileNames) {
    if ((await hashSparseFile(folder.path(name))) !== record.files[name].sha256) return false;
  }
  return true;
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
