import { execFile } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { copyFile, readFile, rename, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const BLOCK = 4096;

/** Bytes that were written together. */
export interface ByteRun {
  readonly offset: number;
  readonly bytes: Buffer;
}

export const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** What is to be in a person's volume: a file system that somebody works in. */
export class HomeImage {
  private letter: string | undefined;
  private former: string | undefined;

  /** @param path of a file that holds the volume as it is now; it is written to */
  constructor(private readonly path: string) {}

  async digest(): Promise<string> {
    return digestOf(await readFile(this.path));
  }

  /** Puts one file of this size in the place of the one before. @returns what that changes, all over the volume */
  async replaceLetter(sizeBytes: number): Promise<ByteRun[]> {
    const [before, content, script] = ['before', 'content', 'script'].map((name) => `${this.path}.${name}`) as [
      string,
      string,
      string,
    ];
    await copyFile(this.path, before);
    await writeFile(content, randomBytes(sizeBytes));
    const removed = this.letter === undefined ? '' : `rm ${this.letter}\n`;
    this.former = this.letter;
    this.letter = `letter-${randomUUID()}`;
    await writeFile(script, `${removed}write ${content} ${this.letter}\n`);
    // It says what it did not do on stderr, and ends well all the same.
    const { stderr } = await run('debugfs', ['-w', '-f', script, this.path]);
    if (stderr.split('\n').some((line) => line !== '' && !line.startsWith('debugfs '))) throw new Error(stderr);
    await run('e2fsck', ['-fn', this.path]);
    const [old, now] = await Promise.all([readFile(before), readFile(this.path)]);
    return changes(old, now);
  }

  /** What it was before the last letter is what counts again. */
  async undo(): Promise<void> {
    this.letter = this.former;
    await rename(`${this.path}.before`, this.path);
  }
}

function changes(old: Buffer, now: Buffer): ByteRun[] {
  const runs: { offset: number; end: number }[] = [];
  for (let at = 0; at < now.length; at += BLOCK) {
    if (old.compare(now, at, at + BLOCK, at, at + BLOCK) === 0) continue;
    const last = runs.at(-1);
    if (last?.end === at) last.end += BLOCK;
    else runs.push({ offset: at, end: at + BLOCK });
  }
  return runs.map(({ offset, end }) => ({ offset, bytes: now.subarray(offset, end) }));
}
