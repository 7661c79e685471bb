import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { readRows, transact, type UnitOfWork } from '#libs/database';
import type { ReadRows } from '../../app-choices.js';
import { LeaseError } from '../lease-error.js';
import {
  type Acquired,
  type BegunRestore,
  type BegunVersion,
  type Lease,
  type LeaseHolder,
  ProfileLeases,
  type RestoreOrigin,
  type VersionFacts,
} from '../profile-leases.js';
import type { ProfileVersion, VersionReason } from '../profile-version.js';
import { fenceHost, liftHostFence } from './host-fence.js';
import { acquireLease, adoptLease } from './lease-holding.js';
import { asLeaseError } from './lease-refusal.js';
import { allVersions, type LeaseRow, leaseOf, lockHeldLease, moveLease, newestVersion } from './lease-rows.js';
import { discardWork, dropVersions, numbersInUse, unknownNumbers } from './version-dropping.js';
import {
  beginImport,
  beginRestore,
  beginVersion,
  commitVersion,
  markDamaged,
  repeatedCommit,
} from './version-writing.js';

/** Leases and versions in PostgreSQL, where triggers refuse what the rules do not allow. */
@Injectable()
export class PostgresProfileLeases extends ProfileLeases {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  acquire(volumeId: string, desktopId: string): Promise<Acquired> {
    return this.inTurn((unit) => acquireLease(unit, volumeId, desktopId));
  }

  adopt(volumeId: string, desktopId: string): Promise<Lease | null> {
    return this.inTurn((unit) => adoptLease(unit, volumeId, desktopId));
  }

  beginVersion(volumeId: string, fence: number, reason: VersionReason, after = 0): Promise<BegunVersion> {
    return this.inTurn((unit) => beginVersion(unit, volumeId, fence, reason, after));
  }

  async commit(volumeId: string, fence: number, number: number, facts: VersionFacts): Promise<ProfileVersion> {
    const committed = await this.inTurn((unit) => commitVersion(unit, volumeId, fence, number, facts));
    return committed ?? repeatedCommit(this.rows, volumeId, fence, number, facts.versionId);
  }

  markDamaged(volumeId: string, fence: number, number: number, damage: string): Promise<Lease> {
    return this.inTurn((unit) => markDamaged(unit, volumeId, fence, number, damage));
  }

  async release(volumeId: string, fence: number): Promise<boolean> {
    try {
      await this.inTurn(async (unit) => {
        await lockHeldLease(unit, volumeId, fence);
        await moveLease(unit, volumeId, null);
      });
      return true;
    } catch (error) {
      if (LeaseError.is(error, 'lost', 'deleted')) return false;
      throw error;
    }
  }

  discard(volumeId: string, desktopIds: readonly string[], fence?: number): Promise<number[]> {
    return this.inTurn((unit) => discardWork(unit, volumeId, desktopIds, fence));
  }

  beginRestore(volumeId: string, from: number, after = 0): Promise<BegunRestore> {
    return this.inTurn((unit) => beginRestore(unit, volumeId, from, after));
  }

  beginImport(volumeId: string, from: RestoreOrigin): Promise<BegunRestore> {
    return this.inTurn((unit) => beginImport(unit, volumeId, from));
  }

  commitRestore(volumeId: string, { number, fence, from }: BegunRestore): Promise<ProfileVersion> {
    const { versionId, isClean, sizeBytes } = from;
    return this.commit(volumeId, fence, number, { versionId, isClean, sizeBytes, writtenBytes: 0 });
  }

  async holder(volumeId: string): Promise<LeaseHolder | null> {
    const [holder] = await this.rows<LeaseHolder>(
      `SELECT lease.desktop_id AS "desktopId", lease.host, lease.acquired_at AS "acquiredAt"
         FROM profile_leases AS lease JOIN desktops ON desktops.id = lease.desktop_id
        WHERE lease.volume_id = $1 AND desktops.state <> 'deleted'`,
      [volumeId],
    );
    return holder ?? null;
  }

  async leasesOf(desktopId: string): Promise<Lease[]> {
    const held = await this.rows<LeaseRow & { host: string }>(
      `SELECT volume_id AS "volumeId", fence, host, served_number AS "servedNumber" FROM profile_leases
        WHERE desktop_id = $1 ORDER BY acquired_at`,
      [desktopId],
    );
    return Promise.all(held.map((lease) => leaseOf(this.rows, lease, { desktopId, host: lease.host })));
  }

  newest(volumeId: string): Promise<ProfileVersion | null> {
    return newestVersion(this.rows, volumeId);
  }

  versions(volumeId: string): Promise<ProfileVersion[]> {
    return allVersions(this.rows, volumeId);
  }

  drop(volumeId: string, numbers: readonly number[]): Promise<number[]> {
    return this.inTurn((unit) => dropVersions(unit, volumeId, numbers));
  }

  numbersInUse(volumeId: string): Promise<number[]> {
    return numbersInUse(this.rows, volumeId);
  }

  unknownNumbers(volumeId: string, numbers: readonly number[]): Promise<number[]> {
    return this.inTurn((unit) => unknownNumbers(unit, volumeId, numbers));
  }

  fenceHost(host: string): Promise<string[]> {
    return this.inTurn((unit) => fenceHost(unit, host));
  }

  async isFenced(host: string): Promise<boolean> {
    const found = await this.rows('SELECT 1 FROM hosts WHERE name = $1 AND fenced_at IS NOT NULL', [host]);
    return found.length > 0;
  }

  liftFence(host: string): Promise<boolean> {
    return this.inTurn((unit) => liftHostFence(unit, host));
  }

  private readonly rows: ReadRows = <Row>(sql: string, parameters: readonly unknown[]) =>
    readRows<Row>(this.dataSource, sql, parameters);

  private async inTurn<T>(work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    try {
      return await transact(this.dataSource, work);
    } catch (error) {
      throw asLeaseError(error);
    }
  }
}
