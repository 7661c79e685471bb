import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { BuiltImage } from '#libs/images';

const zeros = '0'.repeat(64);

/** For tests: a golden image that is just a root disk with these files (by their paths), and no program at all. */
export async function makeTinyImage(dir: string, files: Readonly<Record<string, string>> = {}): Promise<BuiltImage> {
  const rootDir = join(dir, 'root');
  const all = { '/usr/lib/os-release': 'ID=debian\nVERSION_ID="12"\n', ...files };
  for (const folder of ['dev', 'proc', 'run', 'tmp', 'usr/share'])
    await mkdir(join(rootDir, folder), { recursive: true });
  for (const [path, content] of Object.entries(all)) {
    await mkdir(dirname(join(rootDir, path)), { recursive: true });
    await writeFile(join(rootDir, path), content);
  }
  await promisify(execFile)('/usr/sbin/mke2fs', [
    '-q',
    '-t',
    'ext4',
    '-O',
    '^has_journal',
    '-d',
    rootDir,
    join(dir, 'root.img'),
    '16M',
  ]);
  const file = { bytes: 1, sha256: zeros };
  return {
    dir,
    manifest: {
      formatVersion: 1,
      name: 'tiny',
      recipeDigest: zeros,
      digest: zeros,
      kernelArguments: '',
      builtAt: '2026-11-01T00:00:00.000Z',
      files: { 'root.img': file, vmlinuz: file, 'initrd.img': file },
    },
  };
}
