import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from '#libs/kernel';
import type { ObjectStore } from '../object-store.js';
import { VolumeError } from '../volume-error.js';
import type { Condemned } from './condemned.js';

export interface HoldOptions {
  readonly objects: ObjectStore;
  readonly condemned: Condemned;
  readonly clock: Clock;
  /** How long what is held stays when its holder dies. It is renewed three times as often. */
  readonly ttlMs: number;
  readonly logger: Logger;
}

/**
 * Keeps objects from being collected while a writer or a reader relies on them and no version names them, or no longer.
 *
 * Holder and collector each say first what they are about to do and look only then at what the other said, so at least
 * one of them sees the other: either the collector finds the key needed and spares it, or the holder finds it condemned,
 * waits for the collector's end, and then looks whether the object is still there.
 */
export class Hold {
  private readonly folder = `holds/${randomUUID()}/`;
  private readonly written: string[] = [];
  private readonly ended = new AbortController();
  private untils: string[] = [];
  private validUntil = 0;
  private next = 0;

  private constructor(private readonly options: HoldOptions) {}

  static async take(options: HoldOptions): Promise<Hold> {
    const hold = new Hold(options);
    await hold.renew();
    void hold.keepRenewing();
    return hold;
  }

  /**
   * From its end on, what exists of these objects stays for as long as this hold, and what does not may be put.
   * @throws VolumeError 'hold-lost'
   */
  async need(keys: readonly string[], signal?: AbortSignal): Promise<void> {
    const { objects, condemned } = this.options;
    this.requireValid();
    const key = `${this.folder}need-${this.next++}`;
    this.written.push(key);
    await objects.put(key, Buffer.from(keys.join('\n')), { signal });
    await condemned.waitUntilClear(keys, signal);
    this.requireValid();
  }

  /** @throws VolumeError 'hold-lost' when it could not be renewed in time: what it held may be gone */
  requireValid(): void {
    if (this.options.clock.now().getTime() < this.validUntil) return;
    throw new VolumeError('hold-lost', 'the store was out of reach for so long that chunks may have been collected');
  }

  /** Never fails: what is left of a hold runs out by itself. */
  async release(): Promise<void> {
    this.ended.abort();
    const keys = [...this.written, ...this.untils];
    const ends = await Promise.allSettled(keys.map((key) => this.options.objects.delete(key)));
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed) this.options.logger.warn({ err: failed.reason }, 'a hold on the volume store could not be released');
  }

  private async keepRenewing(): Promise<void> {
    const { clock, ttlMs, logger } = this.options;
    for (;;) {
      try {
        // A process that has nothing else to do ends, and its hold runs out.
        await clock.sleep(ttlMs / 3, this.ended.signal, false);
      } catch {
        return;
      }
      try {
        await this.renew();
      } catch (error) {
        logger.warn({ err: error }, 'a hold on the volume store could not be renewed');
      }
    }
  }

  /** Two are kept, as a listing that runs meanwhile could miss both the old and the new one. */
  private async renew(): Promise<void> {
    const { objects, clock, ttlMs } = this.options;
    const until = clock.now().getTime() + ttlMs;
    const key = `${this.folder}until-${until}`;
    await objects.put(key, new Uint8Array());
    this.untils.push(key);
    if (this.ended.signal.aborted) return objects.delete(key);
    // A hold that had run out is not made whole again.
    if (this.validUntil === 0 || clock.now().getTime() < this.validUntil) this.validUntil = until;
    const old = this.untils.slice(0, -2);
    this.untils = this.untils.slice(-2);
    for (const each of old) await objects.delete(each);
  }
}
