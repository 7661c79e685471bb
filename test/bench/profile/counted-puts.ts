import { DirectoryObjectStore, type PutResult } from '#libs/volumes';

/** A directory store that counts the bytes of what is put, by the first part of its key: `chunks`, `manifests` ... */
export class CountedPuts extends DirectoryObjectStore {
  private readonly counts = new Map<string, number>();

  override async put(key: string, bytes: Uint8Array, options: { signal?: AbortSignal } = {}): Promise<PutResult> {
    const result = await super.put(key, bytes, options);
    const kind = key.split('/')[0] ?? '';
    if (result === 'created') this.counts.set(kind, (this.counts.get(kind) ?? 0) + bytes.length);
    return result;
  }

  /** What was put since the last call. */
  take(): { readonly chunkBytes: number; readonly otherBytes: number } {
    const chunkBytes = this.counts.get('chunks') ?? 0;
    const otherBytes = [...this.counts.values()].reduce((sum, bytes) => sum + bytes, 0) - chunkBytes;
    this.counts.clear();
    return { chunkBytes, otherBytes };
  }
}
