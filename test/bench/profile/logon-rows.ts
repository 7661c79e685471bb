import { createCipheriv, randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeSkeleton } from '#libs/profiles';
import { type BenchRow, comparedRow, plainRow } from '../bench-report.js';
import { judged } from '../fork/targets.js';
import { quantile } from '../quantiles.js';
import type { LogonTimes, ProfileHost } from './profile-host.js';
import type { StoredProfile } from './stored-profile.js';

const MIB = 1 << 20;
const GIB = 1 << 30;
const EMPTY_BYTES = 64 * MIB;
const ROUNDS = 20;
const MAX_ADDED_MS = 100;
const MAX_GROWTH = 1.2;

const kinds = ['1 GiB sparse', '1 GiB full', '10 GiB sparse', '10 GiB full'] as const;
type Kind = 'empty' | (typeof kinds)[number];

/** Logons with profiles of several sizes, in turns, so that whatever else the host does falls on all alike. */
export async function logonRows(host: ProfileHost, dir: string): Promise<BenchRow[]> {
  const profiles = new Map<Kind, StoredProfile>();
  profiles.set('empty', await keepSkeleton(host, dir, EMPTY_BYTES));
  for (const [sizeGib, name] of [[1, '1 GiB'] as const, [10, '10 GiB'] as const]) {
    profiles.set(`${name} sparse`, await keepSkeleton(host, dir, sizeGib * GIB));
    profiles.set(`${name} full`, await host.keep(randomContent(sizeGib * GIB)));
    process.stderr.write(`profiles of ${name} are in the store\n`);
  }
  const times = new Map<Kind, LogonTimes[]>([...profiles.keys()].map((kind) => [kind, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [kind, profile] of profiles) {
      const found = await host.attach(profile);
      // The first of each finds nothing in the caches of the host.
      if (round > 0) times.get(kind)?.push(found);
      await host.inGuest('udevadm settle');
      await host.detach(profile);
      await host.inGuest('udevadm settle');
    }
  }
  return rowsOf(times);
}

function rowsOf(times: ReadonlyMap<Kind, readonly LogonTimes[]>): BenchRow[] {
  const share = (kind: Kind, of: keyof LogonTimes, p: number): number =>
    quantile(
      (times.get(kind) ?? []).map((each) => each[of]),
      p,
    );
  const whole = (kind: Kind, p = 0.5): number => share(kind, 'wholeMs', p);
  const rows = [plainRow('logon, host side, empty, p50', whole('empty'), 'ms')];
  rows.push(plainRow('logon, host side, empty, p99', whole('empty', 0.99), 'ms'));
  for (const kind of kinds) {
    for (const [name, p] of [['p50', 0.5] as const, ['p99', 0.99] as const]) {
      const what = `logon, host side, ${kind}, ${name}, against empty`;
      rows.push(comparedRow(what, whole(kind, p), 'ms', whole('empty', p)));
    }
    const open = `of it, ${kind}, to open and serve the version, p50, against empty`;
    rows.push(comparedRow(open, share(kind, 'openMs', 0.5), 'ms', share('empty', 'openMs', 0.5)));
    const added = plainRow(`added by ${kind}, p50`, whole(kind) - whole('empty'), 'ms');
    rows.push(judged(added, { atMost: MAX_ADDED_MS }));
  }
  for (const content of ['sparse', 'full'] as const) {
    const row = comparedRow(
      `logon, host side, 10 GiB against 1 GiB, ${content}, p50`,
      whole(`10 GiB ${content}`),
      'ms',
      whole(`1 GiB ${content}`),
    );
    rows.push(judged(row, { of: 'ratio', atMost: MAX_GROWTH }));
  }
  return rows;
}

/** A file system with nothing in it. */
async function keepSkeleton(host: ProfileHost, dir: string, sizeBytes: number): Promise<StoredProfile> {
  const path = join(dir, 'skeleton.ext4');
  await makeSkeleton(path, { sizeBytes, label: 'bench' });
  try {
    return await host.keep(path);
  } finally {
    await rm(path);
  }
}

/**
 * Random bytes, with no hole, which need no file system: nobody mounts them. After 1 GiB it begins again, so that a run
 * does not write 10 GiB: what a version names is as long as if all its chunks were different.
 */
async function* randomContent(sizeBytes: number): AsyncIterable<Uint8Array> {
  const [key, zeros] = [randomBytes(16), Buffer.alloc(MIB)];
  for (let at = 0; at < sizeBytes; at += MIB) {
    const start = Buffer.alloc(16);
    start.writeUInt32BE(at % GIB, 0);
    yield createCipheriv('aes-128-ctr', key, start).update(zeros);
  }
}
