import { randomUUID } from 'node:crypto';
import type { Clock } from '#libs/kernel';
import type { ObjectStore } from '../object-store.js';
import { VolumeError } from '../volume-error.js';

/** `condemned/<uuid>-<time until which its collector deletes, in ms>`: the keys that it is about to delete, one a line. */
const FOLDER = 'condemned/';
const LOOK_AGAIN_MS = 100;

export interface CondemnedList {
  readonly key: string;
  /** The collector deletes nothing of the list at this time or later. */
  readonly endsAt: number;
}

/** What garbage collectors are about to delete, for all to see. */
export class Condemned {
  private readonly known = new Map<string, ReadonlySet<string>>();

  constructor(
    private readonly objects: ObjectStore,
    private readonly clock: Clock,
    /** By how much clocks of hosts may differ, and a delete on its way may be late. */
    private readonly clockSkewMs: number,
  ) {}

  async announce(keys: readonly string[], forMs: number): Promise<CondemnedList> {
    const endsAt = this.clock.now().getTime() + forMs;
    const key = `${FOLDER}${randomUUID()}-${endsAt}`;
    await this.objects.put(key, Buffer.from(keys.join('\n')));
    return { key, endsAt };
  }

  async withdraw(list: CondemnedList): Promise<void> {
    await this.objects.delete(list.key);
  }

  /** Resolves when no collector is about to delete any of these keys. */
  async waitUntilClear(keys: Iterable<string>, signal?: AbortSignal): Promise<void> {
    const wanted = [...keys];
    for (;;) {
      const lists = await this.inForce(signal);
      if (!lists.some((doomed) => wanted.some((key) => doomed.has(key)))) return;
      await this.clock.sleep(LOOK_AGAIN_MS, signal);
    }
  }

  /** Removes the lists of collectors that died. */
  async sweep(): Promise<void> {
    for await (const { key } of this.objects.list(FOLDER)) {
      if (this.hasEnded(key)) await this.objects.delete(key);
    }
  }

  private async inForce(signal?: AbortSignal): Promise<ReadonlySet<string>[]> {
    const keys: string[] = [];
    for await (const { key } of this.objects.list(FOLDER, { signal })) if (!this.hasEnded(key)) keys.push(key);
    for (const known of this.known.keys()) if (!keys.includes(known)) this.known.delete(known);
    const found: ReadonlySet<string>[] = [];
    for (const key of keys) {
      const list = this.known.get(key) ?? (await this.load(key, signal));
      if (list) found.push(list);
    }
    return found;
  }

  private async load(key: string, signal?: AbortSignal): Promise<ReadonlySet<string> | undefined> {
    try {
      const list = new Set(
        Buffer.from(await this.objects.get(key, { signal }))
          .toString('utf8')
          .split('\n'),
      );
      this.known.set(key, list);
      return list;
    } catch (error) {
      if (VolumeError.is(error, 'object-missing')) return undefined;
      throw error;
    }
  }

  private hasEnded(key: string): boolean {
    const endsAt = Number(key.slice(key.lastIndexOf('-') + 1));
    return Number.isFinite(endsAt) && this.clock.now().getTime() >= endsAt + this.clockSkewMs;
  }
}
