import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type BenchReport, describeMachine } from './bench-report.js';
import { replicateRows } from './profile/replicate-rows.js';

/** What the backup of a profile to a second store sends after a document of 24 MB changed a little. */
export async function run(): Promise<BenchReport> {
  const stateDir = process.env.GOLDLEAF_STATE_DIR ?? '.goldleaf';
  await mkdir(stateDir, { recursive: true });
  const work = await mkdtemp(join(stateDir, 'bench-profile-replicate-'));
  try {
    return { name: 'profile-replicate', machine: describeMachine(), rows: await replicateRows(work) };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
