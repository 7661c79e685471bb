import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runFolder } from '#libs/testing';
import { makeStateDir } from './make-state-dir.js';

const run = promisify(execFile);

/**
 * A copy of a state folder in which Goldleaf has run before: its golden image is in the store and its parents are saved,
 * which takes a minute. The first file of a run that needs one makes it. The files get theirs at the same place, one
 * after the other, since parents are made of an image at one path.
 * @param use starts Goldleaf there, and ends it in order
 */
export async function usedStateDir(use: (stateDir: string) => Promise<void>): Promise<string> {
  const stateDir = join(runFolder(), `state-${process.env.JEST_WORKER_ID}`);
  const used = `${stateDir}-used`;
  // Of a file that failed before it could clean up.
  await rm(stateDir, { recursive: true, force: true });
  if (!existsSync(used)) {
    await makeStateDir(stateDir);
    await use(stateDir);
    await rename(stateDir, used);
  }
  await mkdir(stateDir, { mode: 0o755 });
  for (const name of await readdir(used)) {
    // Golden images are never written to: copies of them are links in Goldleaf, too.
    const how = name === 'image-copies' ? '--link' : '--reflink=auto';
    await run('cp', ['--archive', how, join(used, name), stateDir]);
  }
  return stateDir;
}
