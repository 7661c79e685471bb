import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BenchReport, type BenchRow, describeMachine } from './bench-report.js';
import { ForkHost } from './fork/fork-host.js';
import { commitRows } from './profile/commit-rows.js';
import { freezeRows } from './profile/freeze-rows.js';
import { logOffStormRows } from './profile/log-off-storm-rows.js';
import { logonRows } from './profile/logon-rows.js';
import { ProfileHost } from './profile/profile-host.js';

/**
 * Profiles: the host's part of logons by the size of the profile, the commit at log-off, the freeze of a write-back, and
 * fifty people who log off at once. Takes some 8 GB of disk.
 */
export async function run(): Promise<BenchReport> {
  const forks = await ForkHost.open();
  try {
    const dir = join(forks.dir, 'work');
    await mkdir(dir);
    const rows: BenchRow[] = [];
    const take = (found: readonly BenchRow[]): void => {
      rows.push(...found);
      for (const { what, value, unit, ratio } of found)
        process.stderr.write(`${what}: ${value} ${unit} ${ratio ?? ''}\n`);
    };
    const host = await ProfileHost.open(forks);
    try {
      take(await freezeRows(host, dir));
      take(await commitRows(host, dir));
      take(await logonRows(host, dir));
    } finally {
      await host.close();
    }
    // Last: it leaves this process large, and whatever starts a program then waits for that.
    take(await logOffStormRows(dir));
    return { name: 'profile', machine: describeMachine(), rows };
  } finally {
    await forks.close();
  }
}
