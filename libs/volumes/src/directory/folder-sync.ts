import { open } from 'node:fs/promises';

/** Makes changes of folders durable. Callers that wait for the same folder at the same time share one fsync. */
export class FolderSync {
  private readonly waiting = new Map<string, Promise<void>>();
  private readonly running = new Map<string, Promise<void>>();

  /** Resolves when an fsync of the folder that began after this call has ended. */
  sync(path: string): Promise<void> {
    const shared = this.waiting.get(path);
    if (shared) return shared;
    const before = this.running.get(path) ?? Promise.resolve();
    const run = before
      .catch(() => undefined)
      .then(() => {
        this.waiting.delete(path);
        this.running.set(path, run);
        return syncFolder(path);
      })
      .finally(() => {
        if (this.running.get(path) === run) this.running.delete(path);
      });
    this.waiting.set(path, run);
    return run;
  }
}

/** Makes what was made, renamed or removed in this folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
