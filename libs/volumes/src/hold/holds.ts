import type { Clock } from '#libs/kernel';
import type { ObjectStore } from '../object-store.js';
import { VolumeError } from '../volume-error.js';

const keyPattern = /^holds\/([^/]+)\/(until|need)-(\d+)$/;

interface FoundHold {
  readonly objects: string[];
  readonly needs: string[];
  endsAt: number;
}

/** All holds of a store, as a collector sees them. */
export class Holds {
  private readonly known = new Map<string, readonly string[]>();

  constructor(
    private readonly objects: ObjectStore,
    private readonly clock: Clock,
    private readonly options: { readonly clockSkewMs: number; readonly ttlMs: number },
  ) {}

  /** Keys that live holds need. */
  async needed(): Promise<Set<string>> {
    const needed = new Set<string>();
    for (const hold of (await this.find()).values()) {
      if (this.isDead(hold)) continue;
      for (const key of hold.needs) for (const need of await this.load(key)) needed.add(need);
    }
    return needed;
  }

  /** Removes holds whose holders died. */
  async sweep(): Promise<void> {
    for (const hold of (await this.find()).values()) {
      if (!this.isDead(hold)) continue;
      for (const key of hold.objects) await this.objects.delete(key);
    }
  }

  private async find(): Promise<Map<string, FoundHold>> {
    const holds = new Map<string, FoundHold>();
    for await (const { key, modifiedAt } of this.objects.list('holds/')) {
      const [, id, kind, number] = keyPattern.exec(key) ?? [];
      if (id === undefined) continue;
      const hold = holds.get(id) ?? { objects: [], needs: [], endsAt: 0 };
      holds.set(id, hold);
      hold.objects.push(key);
      // Its last word may have slipped through the listing: what it needs was said a ttl before its end or later.
      const endsAt = kind === 'until' ? Number(number) : modifiedAt.getTime() + this.options.ttlMs;
      hold.endsAt = Math.max(hold.endsAt, endsAt);
      if (kind === 'need') hold.needs.push(key);
    }
    return holds;
  }

  private isDead(hold: FoundHold): boolean {
    return this.clock.now().getTime() >= hold.endsAt + this.options.clockSkewMs;
  }

  private async load(key: string): Promise<readonly string[]> {
    const known = this.known.get(key);
    if (known) return known;
    try {
      const needs = Buffer.from(await this.objects.get(key))
        .toString('utf8')
        .split('\n');
      this.known.set(key, needs);
      return needs;
    } catch (error) {
      // Its holder let go meanwhile: the version is published by now, or given up.
      if (VolumeError.is(error, 'object-missing')) return [];
      throw error;
    }
  }
}
