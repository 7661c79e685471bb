import { read } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { type Digest, digestOf } from './digest.js';

/** A chunk in the cache's folder, opened and verified. It closes when the cache has let go of it and no read is under way. */
export class CachedFile {
  private users = 0;
  private isLetGo = false;

  private constructor(
    private readonly file: FileHandle,
    readonly bytes: number,
  ) {}

  /** Undefined when the file is not there or does not hold this chunk. */
  static async open(path: string, digest: Digest, contentBytes: number): Promise<CachedFile | undefined> {
    let file: FileHandle;
    try {
      file = await open(path, 'r');
    } catch {
      return undefined;
    }
    try {
      const content = await file.readFile();
      if (content.length === contentBytes && digestOf(content) === digest) return new CachedFile(file, contentBytes);
    } catch {
      // As good as not there.
    }
    await file.close();
    return undefined;
  }

  /** Fills `target` from this offset of the chunk on. False when that cannot be done. */
  async read(target: Uint8Array, from: number): Promise<boolean> {
    this.users++;
    try {
      let done = 0;
      while (done < target.length) {
        const bytesRead = await readAt(this.file.fd, target, done, from + done);
        if (bytesRead === 0) return false;
        done += bytesRead;
      }
      return true;
    } catch {
      return false;
    } finally {
      this.users--;
      this.closeWhenUnused();
    }
  }

  letGo(): void {
    this.isLetGo = true;
    this.closeWhenUnused();
  }

  private closeWhenUnused(): void {
    if (this.isLetGo && this.users === 0) void this.file.close().catch(() => undefined);
  }
}

/** A file handle's own `read` costs three times as much, which is what a warm cache is made of. */
function readAt(fd: number, target: Uint8Array, done: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, target, done, target.length - done, position, (error, bytesRead) => {
      if (error) reject(error);
      else resolve(bytesRead);
    });
  });
}
