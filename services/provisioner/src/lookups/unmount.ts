import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/** Takes a mount of this user away, also one that is in use. What is none is nobody's business. */
export async function unmount(path: string): Promise<void> {
  const [program, options] = process.getuid?.() === 0 ? ['umount', ['-l']] : ['fusermount3', ['-u', '-z']];
  const env = { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };
  await exec(program, [...options, '--', path], { env }).catch(() => undefined);
}
