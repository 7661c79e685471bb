import type { ObjectFacts, ObjectStore, PutResult } from '#libs/volumes';

/** An object store that counts what is fetched of it. */
export class CountedObjects implements ObjectStore {
  /** How often each object was fetched. */
  readonly fetches = new Map<string, number>();
  fetchedBytes = 0;
  lastFetchAt = 0;

  constructor(private readonly objects: ObjectStore) {}

  async get(key: string, options?: { signal?: AbortSignal }): Promise<Uint8Array> {
    const bytes = await this.objects.get(key, options);
    this.fetches.set(key, (this.fetches.get(key) ?? 0) + 1);
    this.fetchedBytes += bytes.length;
    this.lastFetchAt = performance.now();
    return bytes;
  }

  put(key: string, bytes: Uint8Array, options?: { signal?: AbortSignal }): Promise<PutResult> {
    return this.objects.put(key, bytes, options);
  }

  has(key: string, options?: { signal?: AbortSignal }): Promise<boolean> {
    return this.objects.has(key, options);
  }

  list(prefix: string, options?: { signal?: AbortSignal }): AsyncIterable<ObjectFacts> {
    return this.objects.list(prefix, options);
  }

  delete(key: string): Promise<void> {
    return this.objects.delete(key);
  }

  sweepUnfinished(): Promise<number> {
    return this.objects.sweepUnfinished();
  }

  close(): void {
    this.objects.close();
  }
}
