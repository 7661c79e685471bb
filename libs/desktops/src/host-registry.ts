import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { HostView } from '#libs/contracts';
import { isoTimestamp, readRows } from '#libs/database';
import { HOST_OFFLINE_AFTER_SECONDS } from '#libs/fleet';

export interface HostReport {
  readonly name: string;
  readonly driver: string;
  readonly accelerator: string;
  readonly vcpus: number;
  readonly memoryMiB: number;
  /** What is really left at this moment. */
  readonly availableMemoryMiB: number;
  readonly availableDiskMiB: number;
}

/** What a machine of the host holds of its memory; its id is that of its desktop. */
export interface MemoryReport {
  readonly machineId: string;
  readonly privateMiB: number;
  readonly sharedMiB: number;
}

/** A difference that is worth a write. */
const WORTH_MIB = 2;

@Injectable()
export class HostRegistry {
  constructor(private readonly dataSource: DataSource) {}

  /** Tells that the host is there. Called by its provisioner every few seconds. */
  async report(host: HostReport): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO hosts (name, driver, accelerator, vcpus, memory_mib, available_memory_mib, available_disk_mib,
                          last_seen_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, now())
       ON CONFLICT (name) DO UPDATE SET driver = excluded.driver, accelerator = excluded.accelerator,
         vcpus = excluded.vcpus, memory_mib = excluded.memory_mib, last_seen_at = now(),
         available_memory_mib = excluded.available_memory_mib, available_disk_mib = excluded.available_disk_mib`,
      [
        ...[host.name, host.driver, host.accelerator, host.vcpus, host.memoryMiB],
        ...[Math.floor(host.availableMemoryMiB), Math.floor(host.availableDiskMiB)],
      ],
    );
  }

  /** Writes down what the desktops of the host hold. A row that is being given to somebody is left for the next time. */
  async reportMemory(host: string, reports: readonly MemoryReport[]): Promise<void> {
    if (reports.length === 0) return;
    await this.dataSource.query(
      `WITH changed AS (
         SELECT desktops.id, report.private_mib, report.shared_mib
           FROM desktops JOIN unnest($2::uuid[], $3::int[], $4::int[]) AS report (id, private_mib, shared_mib) USING (id)
          WHERE host = $1 AND state IN ('available', 'assigned')
            AND (desktops.private_mib IS NULL OR abs(desktops.private_mib - report.private_mib) >= ${WORTH_MIB}
                 OR abs(desktops.shared_mib - report.shared_mib) >= ${WORTH_MIB})
            FOR UPDATE OF desktops SKIP LOCKED)
       UPDATE desktops SET private_mib = changed.private_mib, shared_mib = changed.shared_mib
         FROM changed WHERE desktops.id = changed.id`,
      [
        host,
        reports.map(({ machineId }) => machineId),
        reports.map(({ privateMiB }) => Math.round(privateMiB)),
        reports.map(({ sharedMiB }) => Math.round(sharedMiB)),
      ],
    );
  }

  async list(): Promise<HostView[]> {
    const rows = await readRows<HostView & { lastSeenAt: Date }>(
      this.dataSource,
      `SELECT name, driver, accelerator, vcpus, memory_mib AS "memoryMiB", mode,
              available_memory_mib AS "availableMemoryMiB", available_disk_mib AS "availableDiskMiB",
              last_seen_at AS "lastSeenAt",
              last_seen_at > now() - make_interval(secs => $1) AS online,
              ${isoTimestamp('fenced_at')} AS "fencedAt",
              (SELECT count(*)::int FROM desktops WHERE desktops.host = hosts.name AND desktops.state <> 'deleted')
                AS machines
         FROM hosts ORDER BY name`,
      [HOST_OFFLINE_AFTER_SECONDS],
    );
    return rows.map((row) => ({ ...row, lastSeenAt: new Date(row.lastSeenAt).toISOString() }));
  }
}
