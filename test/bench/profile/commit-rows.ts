import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { checkFileSystem } from '#libs/profiles';
import { PROFILE_CHUNK_BYTES } from '#libs/volumes';
import { type BenchRow, comparedRow, plainRow } from '../bench-report.js';
import { judged } from '../fork/targets.js';
import { median } from '../quantiles.js';
import { changeScript, type DocumentChange, documentChanges } from './document-change.js';
import { chunksOfDocument, DOCUMENT_BYTES, HOME_BYTES, makeHome } from './home.js';
import { inMountedProfile, MOUNT_POINT } from './mounted-profile.js';
import type { ProfileHost } from './profile-host.js';
import { saveProfile } from './save-profile.js';
import type { StoredProfile } from './stored-profile.js';

const runProgram = promisify(execFile);
const MB = 1e6;
/** Of them the first is counted like the others: a new file is where another was before only from the third on. */
const ROUNDS = 6;
const MAX_SHARE = 0.02;
const RSYNC = ['--archive', '--delete', '--fsync', '--stats'];

interface Round {
  readonly commitMs: number;
  readonly viewMs: number;
  readonly writeMs: number;
  readonly rsyncMs: number;
  readonly rsyncDeltaMs: number;
  /** What rsync would send to another host. */
  readonly rsyncSentBytes: number;
  readonly documentBytes: number;
  readonly fileSystemBytes: number;
  readonly otherBytes: number;
}

/** The commit at log-off after 1 % of a document changed, against rsync of the same home with the same change. */
export async function commitRows(host: ProfileHost, dir: string): Promise<BenchRow[]> {
  const [home, fileSystem] = [join(dir, 'home'), join(dir, 'home.ext4')];
  await makeHome(home, fileSystem);
  const ofDocument = await chunksOfDocument(fileSystem, PROFILE_CHUNK_BYTES);
  let profile = await host.keep(fileSystem);
  const backups = [join(dir, 'backup'), join(dir, 'backup-delta')] as const;
  for (const backup of backups) await rsync(home, backup);
  await host.attach(profile);
  const rows = [plainRow('log-off: files in the home', HOME_BYTES / MB, 'MB')];
  for (const change of documentChanges) {
    const rounds: Round[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const made = await oneRound(host, profile, { change, round, home, backups, ofDocument });
      ({ profile } = made);
      rounds.push(made.found);
    }
    rows.push(...rowsOf(change, rounds));
  }
  await host.detach(profile);
  await requireWhole(host, profile, join(dir, 'checked.ext4'));
  return rows;
}

async function oneRound(
  host: ProfileHost,
  profile: StoredProfile,
  given: {
    readonly change: DocumentChange;
    readonly round: number;
    readonly home: string;
    readonly backups: readonly [string, string];
    readonly ofDocument: ReadonlySet<number>;
  },
): Promise<{ profile: StoredProfile; found: Round }> {
  const { change, round, home, backups, ofDocument } = given;
  await inMountedProfile(host, profile, () => host.inGuest(changeScript(MOUNT_POINT, change, round)));
  await runProgram('bash', ['-ec', changeScript(home, change, round)]);
  host.puts.take();
  const saved = await saveProfile(host, host.machineId, profile);
  const { chunkBytes, otherBytes } = host.puts.take();
  const plain = await rsync(home, backups[0]);
  const delta = await rsync(home, backups[1], '--no-whole-file', '--inplace');
  const chunksInDocument = saved.readAt.filter((offset) => ofDocument.has(offset)).length;
  const documentBytes = change.isRewritten ? chunkBytes : Math.min(chunkBytes, chunksInDocument * PROFILE_CHUNK_BYTES);
  const found = {
    commitMs: saved.tookMs,
    viewMs: saved.viewMs,
    writeMs: saved.writeMs,
    rsyncMs: plain.tookMs,
    rsyncDeltaMs: delta.tookMs,
    rsyncSentBytes: delta.sentBytes,
    documentBytes,
    fileSystemBytes: chunkBytes - documentBytes,
    otherBytes,
  };
  return { profile: saved.profile, found };
}

function rowsOf({ name, isRewritten }: DocumentChange, rounds: readonly Round[]): BenchRow[] {
  const mid = (of: keyof Round): number => median(rounds.map((round) => round[of]));
  const what = (words: string): string => `log-off, 1 % of ${DOCUMENT_BYTES / MB} MB ${name}: ${words}`;
  // A new file that lies where an older one did is in the store already: the median would flatter it.
  const most = Math.max(...rounds.map(chunkBytesOf));
  const document = comparedRow(
    what(`${isRewritten ? 'stored at most' : "stored of the document's chunks"}, against the document`),
    (isRewritten ? most : mid('documentBytes')) / MB,
    'MB',
    DOCUMENT_BYTES / MB,
  );
  const stored = median(rounds.map(chunkBytesOf));
  return [
    judged(document, { of: 'ratio', atMost: MAX_SHARE }),
    ...(isRewritten ? [] : [plainRow(what("stored of the file system's own"), mid('fileSystemBytes') / 1e3, 'kB')]),
    plainRow(what('manifest, name and holds'), mid('otherBytes') / 1e3, 'kB'),
    comparedRow(what('all chunks, against what rsync sends'), stored / MB, 'MB', mid('rsyncSentBytes') / MB),
    comparedRow(what('commit, p50, against rsync'), mid('commitMs'), 'ms', mid('rsyncMs')),
    comparedRow(what('commit, p50, against rsync of what differs'), mid('commitMs'), 'ms', mid('rsyncDeltaMs')),
    plainRow(what('of the commit, to make and open the view, p50'), mid('viewMs'), 'ms'),
    plainRow(what('of the commit, to read, encrypt and put what changed, p50'), mid('writeMs'), 'ms'),
  ];
}

const chunkBytesOf = ({ documentBytes, fileSystemBytes }: Round): number => documentBytes + fileSystemBytes;

async function rsync(from: string, to: string, ...more: string[]): Promise<{ tookMs: number; sentBytes: number }> {
  const startedAt = performance.now();
  const { stdout } = await runProgram('rsync', [...RSYNC, ...more, `${from}/`, `${to}/`]);
  const tookMs = performance.now() - startedAt;
  const sent = /^Total bytes sent: ([\d,.]+)/m.exec(stdout)?.[1];
  if (sent === undefined) throw new Error(`rsync said something else: ${stdout}`);
  return { tookMs, sentBytes: Number(sent.replace(/[,.]/g, '')) };
}

/** What was measured is worth something only if it can be used. */
async function requireWhole(host: ProfileHost, { versionId, key }: StoredProfile, path: string): Promise<void> {
  await host.store.materialise(versionId, path, { key });
  const check = await checkFileSystem(path);
  if (check.state !== 'good' || !check.isClean) throw new Error('the last version is not a clean file system');
}
