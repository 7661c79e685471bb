import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { type Clock, waitFor } from '#libs/kernel';
import { CLOCK, LOGGER } from '#libs/telemetry';
import { type OpenOptions, type VersionId, type VolumeReader, VolumeStore } from '#libs/volumes';

interface Shared {
  readonly opening: Promise<VolumeReader>;
  users: number;
  unusedSinceMs: number;
}

/** A reader that somebody uses until they release it. */
export interface ReaderLease {
  readonly reader: VolumeReader;
  /** Once; more often does nothing. */
  release(): void;
}

/**
 * One open reader for each version that machines of this host use, however many do: opening one writes to the store, and
 * that is on the way to a person's first click. It stays open for a while after its last user, who is often followed by
 * another.
 */
@Injectable()
export class SharedReaders {
  private readonly shared = new Map<VersionId, Shared>();

  constructor(
    private readonly store: VolumeStore,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @throws what `VolumeStore.openVersion` does, and the signal's reason */
  async acquire(id: VersionId, { key, signal }: OpenOptions = {}): Promise<ReaderLease> {
    const shared = this.shared.get(id) ?? this.open(id, key);
    shared.users += 1;
    let isReleased = false;
    const release = () => {
      if (isReleased) return;
      isReleased = true;
      shared.users -= 1;
      shared.unusedSinceMs = this.clock.now().getTime();
    };
    try {
      // Whoever gives up does not end it for the others.
      return { reader: await waitFor(shared.opening, signal), release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Whether the store has the version now: it answers, and what is missing of the version is really missing. */
  async isInStore(id: VersionId): Promise<boolean> {
    try {
      await (await this.store.openVersion(id)).close();
      return true;
    } catch (error) {
      this.logger.warn({ err: error, volume: id }, 'a version cannot be opened');
      return false;
    }
  }

  /** Closes those that nobody has used for so long. */
  async closeUnused(forMs: number): Promise<void> {
    const before = this.clock.now().getTime() - forMs;
    const unused = [...this.shared].filter(([, { users, unusedSinceMs }]) => users === 0 && unusedSinceMs <= before);
    await Promise.all(unused.map(([id, shared]) => this.close(id, shared)));
  }

  private open(id: VersionId, key?: Uint8Array): Shared {
    const opening = this.store.openVersion(id, { ...(key && { key }) });
    const shared: Shared = { opening, users: 0, unusedSinceMs: 0 };
    this.shared.set(id, shared);
    opening.catch(() => this.shared.delete(id));
    return shared;
  }

  private async close(id: VersionId, { opening }: Shared): Promise<void> {
    this.shared.delete(id);
    const reader = await opening.catch(() => undefined);
    await reader?.close().catch((error: unknown) => this.logger.warn({ err: error }, 'a volume was not closed'));
  }
}
