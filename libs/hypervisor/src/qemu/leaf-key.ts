import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, constants, open, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { delay } from '../delay.js';
import type { MachineUser } from './machine-user.js';

const execFileAsync = promisify(execFile);
const POLL_MS = 2;

/** 256 random bits, as text because QEMU wants it so. Whoever makes one wipes it when it has been handed over. */
export function newLeafKey(): Buffer {
  const random = randomBytes(32);
  const text = Buffer.alloc(44);
  text.write(random.toString('base64'), 'latin1');
  random.fill(0);
  return text;
}

/** Makes the named pipe that a key goes through: what passes it is never on a disk. */
export async function makeKeyPipe(path: string, user: MachineUser | undefined): Promise<void> {
  await execFileAsync('mkfifo', ['-m', '600', '--', path], { cwd: '/' });
  if (user) await chown(path, user.uid, user.gid);
}

/**
 * Gives the key to the process that opens the other end, once, wipes it and takes the pipe away.
 * @throws the signal's reason
 */
export async function handOverKey(path: string, key: Buffer, signal: AbortSignal): Promise<void> {
  try {
    for (;;) {
      try {
        // Fails until somebody reads.
        const pipe = await open(path, constants.O_WRONLY | constants.O_NONBLOCK);
        try {
          await pipe.writeFile(key);
          return;
        } finally {
          await pipe.close();
        }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error;
      }
      await delay(POLL_MS, signal);
    }
  } finally {
    key.fill(0);
    await rm(path, { force: true });
  }
}
