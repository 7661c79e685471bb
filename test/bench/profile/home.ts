import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeSkeleton } from '#libs/profiles';

const runProgram = promisify(execFile);

export const DOCUMENT = 'document';
export const DOCUMENT_BYTES = 24_000_000;
const VOLUME_BYTES = 1 << 30;
const BLOCK_BYTES = 4096;
const FOLDERS = 20;
const FILES_PER_FOLDER = 50;
const FILE_BYTES = 850_000;

/** Of the files in a home. */
export const HOME_BYTES = DOCUMENT_BYTES + FOLDERS * FILES_PER_FOLDER * FILE_BYTES;

/** Makes a folder with what a person could have in theirs, and a file system of 1 GiB with the same in it. */
export async function makeHome(folder: string, fileSystem: string): Promise<void> {
  await makeSkeleton(fileSystem, { sizeBytes: VOLUME_BYTES, label: 'bench' });
  await mkdir(folder);
  const commands: string[] = [];
  const add = async (under: string, name: string, bytes: number): Promise<void> => {
    const path = join(folder, under, name);
    await writeFile(path, randomBytes(bytes));
    commands.push(`write ${path} ${name}`);
  };
  for (let n = 0; n < FOLDERS; n++) {
    const under = `folder-${n}`;
    await mkdir(join(folder, under));
    commands.push(`mkdir /${under}`, `cd /${under}`);
    for (let m = 0; m < FILES_PER_FOLDER; m++) await add(under, `file-${m}`, FILE_BYTES);
    commands.push('cd /');
    if (n === FOLDERS / 2) await add('', DOCUMENT, DOCUMENT_BYTES);
  }
  const script = `${fileSystem}.debugfs`;
  await writeFile(script, commands.join('\n'));
  const { stderr } = await runProgram('debugfs', ['-w', '-f', script, fileSystem], { maxBuffer: 1 << 26 });
  const complaint = stderr.split('\n').find((line) => line !== '' && !line.startsWith('debugfs '));
  if (complaint) throw new Error(`debugfs: ${complaint}`);
}

/** Which chunks of the volume hold something of the document, by their offsets in bytes. */
export async function chunksOfDocument(fileSystem: string, chunkBytes: number): Promise<ReadonlySet<number>> {
  const { stdout } = await runProgram('debugfs', ['-R', `blocks /${DOCUMENT}`, fileSystem], { maxBuffer: 1 << 26 });
  const blocks = stdout.trim().split(/\s+/).map(Number);
  return new Set(blocks.map((block) => Math.floor((block * BLOCK_BYTES) / chunkBytes) * chunkBytes));
}
