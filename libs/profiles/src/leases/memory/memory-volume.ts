import { LeaseError } from '../lease-error.js';
import type { Lease, LeaseHolder } from '../profile-leases.js';
import type { ProfileVersion } from '../profile-version.js';

/** A number that was taken, of which nothing counts yet. */
export interface Writing
  extends Pick<ProfileVersion, 'number' | 'parent' | 'restoredFrom' | 'reason' | 'desktopId' | 'host' | 'fence'> {
  /** The version of another store that it is to be. */
  readonly importedId?: string;
}

/** What PostgreSQL keeps of a volume in `profile_volumes`, `profile_leases` and `profile_versions`. */
export class MemoryVolume {
  fence = 0;
  lastNumber = 0;
  holder: LeaseHolder | null = null;
  servedNumber: number | null = null;
  isDeleted = false;
  readonly writing = new Map<number, Writing>();
  readonly versions = new Map<number, ProfileVersion>();

  constructor(readonly id: string) {}

  newest(): ProfileVersion | null {
    const good = [...this.versions.values()].filter(({ state, unwantedAt }) => state === 'good' && !unwantedAt);
    return good.reduce<ProfileVersion | null>((best, each) => (each.number > (best?.number ?? 0) ? each : best), null);
  }

  /** Gives the lease to a desktop, or to nobody. */
  move(holder: LeaseHolder | null, servedNumber: number | null): void {
    this.fence += 1;
    this.holder = holder;
    this.servedNumber = servedNumber;
  }

  lease({ desktopId, host }: LeaseHolder): Lease {
    const served = this.servedNumber === null ? null : (this.versions.get(this.servedNumber) ?? null);
    return { volumeId: this.id, desktopId, host, fence: this.fence, served, newest: this.newest() };
  }

  begin(writing: Omit<Writing, 'number' | 'parent' | 'fence'>): Writing {
    this.lastNumber += 1;
    const parent = this.newest()?.number ?? null;
    const begun = { ...writing, parent, fence: this.fence, number: this.lastNumber };
    this.writing.set(begun.number, begun);
    return begun;
  }

  /** @throws LeaseError `lost` */
  held(fence: number): LeaseHolder {
    if (this.fence !== fence || !this.holder) throw this.lost(fence);
    return this.holder;
  }

  lost = (fence: number) => new LeaseError('lost', `Fence ${fence} of profile volume ${this.id} is over`);
}
