import { run } from './e2fs-program.js';

/** Offsets within an inode, as `inode_dump` writes them: octal, sixteen bytes in a line. */
const MTIME_LINE = '0020';
const EXTRA_LINE = '0200';
const EXTRA_FIELDS_WITH_MTIME = 12;
const EPOCH_MS = 1_000 * 2 ** 32;
const NO_BYTES = Buffer.alloc(16);

/**
 * When what these inodes are of a profile's file system was written last, by inode; those that cannot be read are left
 * out. Inodes are looked at by their bytes: nothing that somebody chose can be taken for something else.
 * @throws SkeletonError `failed`, `too-long`; the reason of the signal
 */
export async function modifiedTimes(
  path: string,
  inodes: readonly number[],
  options: { readonly signal?: AbortSignal } = {},
): Promise<ReadonlyMap<number, Date>> {
  if (inodes.length === 0) return new Map();
  const commands = inodes.map((inode) => `inode_dump <${inode}>\n`).join('');
  const { stdout } = await run('debugfs', ['-f', '-', path], options.signal, undefined, commands);
  const times = new Map<number, Date>();
  for (const dump of stdout.toString('latin1').split(/^debugfs: inode_dump </m)) {
    const time = timeOf(dump);
    if (time) times.set(Number.parseInt(dump, 10), time);
  }
  return times;
}

function timeOf(dump: string): Date | undefined {
  const lines = new Map<string, Buffer>();
  for (const [, at, bytes] of dump.matchAll(/^([0-7]{4}) {2}((?:[0-9a-f]{4} ){8})/gm)) {
    if (at && bytes) lines.set(at, Buffer.from(bytes.replaceAll(' ', ''), 'hex'));
  }
  const seconds = lines.get(MTIME_LINE)?.readInt32LE(0);
  if (seconds === undefined) return undefined;
  const extra = lines.get(EXTRA_LINE) ?? NO_BYTES;
  const epoch = extra.readUInt16LE(0) >= EXTRA_FIELDS_WITH_MTIME ? extra.readUInt32LE(8) & 3 : 0;
  return new Date(seconds * 1_000 + epoch * EPOCH_MS);
}
