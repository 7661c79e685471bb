import { type Clock, systemClock } from '#libs/kernel';
import { checkKey, checkPrefix, type ObjectFacts, type ObjectStore, type PutResult } from '../object-store.js';
import { VolumeError } from '../volume-error.js';

type Operation = 'put' | 'get' | 'has' | 'list' | 'delete';

/** Runs before the operation takes effect; may wait, or throw in its place. */
export type Interference = (operation: Operation, key: string) => Promise<void> | void;

interface StoredObject {
  bytes: Uint8Array;
  readonly modifiedAt: Date;
}

/** A store in memory for tests, whose faults are made at will. */
export class MemoryObjectStore implements ObjectStore {
  readonly objects = new Map<string, StoredObject>();
  /** How often each operation was asked for. */
  readonly counts: Record<Operation, number> = { put: 0, get: 0, has: 0, list: 0, delete: 0 };
  /** Bytes that `get` and `put` have moved. */
  readonly moved = { in: 0, out: 0 };
  isUnavailable = false;
  interfere: Interference | undefined;
  private readonly damagedGets = new Map<string, number>();

  constructor(private readonly clock: Clock = systemClock) {}

  async put(key: string, bytes: Uint8Array, { signal }: { signal?: AbortSignal } = {}): Promise<PutResult> {
    checkKey(key);
    await this.enter('put', key, signal);
    if (this.objects.has(key)) return 'existed';
    this.objects.set(key, { bytes: Uint8Array.from(bytes), modifiedAt: this.clock.now() });
    this.moved.in += bytes.length;
    return 'created';
  }

  async get(key: string, { signal }: { signal?: AbortSignal } = {}): Promise<Uint8Array> {
    checkKey(key);
    await this.enter('get', key, signal);
    const found = this.objects.get(key);
    if (!found) throw new VolumeError('object-missing', `${key} is not in the store`);
    this.moved.out += found.bytes.length;
    const bytes = Uint8Array.from(found.bytes);
    const damages = this.damagedGets.get(key) ?? 0;
    if (damages > 0) {
      this.damagedGets.set(key, damages - 1);
      flip(bytes);
    }
    return bytes;
  }

  async has(key: string, { signal }: { signal?: AbortSignal } = {}): Promise<boolean> {
    checkKey(key);
    await this.enter('has', key, signal);
    return this.objects.has(key);
  }

  async *list(prefix: string, { signal }: { signal?: AbortSignal } = {}): AsyncIterable<ObjectFacts> {
    checkPrefix(prefix);
    await this.enter('list', prefix, signal);
    for (const [key, { bytes, modifiedAt }] of [...this.objects]) {
      if (key.startsWith(prefix) && this.objects.has(key)) yield { key, bytes: bytes.length, modifiedAt };
    }
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    await this.enter('delete', key);
    this.objects.delete(key);
  }

  /** Changes one bit of the stored object, for ever. */
  damage(key: string): void {
    const found = this.objects.get(key);
    if (!found) throw new Error(`there is no ${key} to damage`);
    found.bytes = Uint8Array.from(found.bytes);
    flip(found.bytes);
  }

  /** The next `times` answers to `get` of this key are damaged; the stored object is not. */
  damageNextGets(key: string, times: number): void {
    this.damagedGets.set(key, times);
  }

  keys(prefix = ''): string[] {
    return [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  async sweepUnfinished(): Promise<number> {
    return 0;
  }

  close(): void {}

  private async enter(operation: Operation, key: string, signal?: AbortSignal): Promise<void> {
    this.counts[operation]++;
    signal?.throwIfAborted();
    await this.interfere?.(operation, key);
    signal?.throwIfAborted();
    if (this.isUnavailable) throw new VolumeError('store-unavailable', 'the store does not answer');
  }
}

function flip(bytes: Uint8Array): void {
  const at = bytes.length >> 1;
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
}
