import { execFile } from 'node:child_process';
import { open, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { MachineImage } from '../machine.js';
import { MachineError } from '../machine-error.js';
import { type MachineUser, userCan } from './machine-user.js';

const execFileAsync = promisify(execFile);

/** @throws MachineError `image-missing` or `image-damaged`, naming the file */
export async function checkImage(image: MachineImage, user: MachineUser | undefined): Promise<void> {
  for (const path of [image.rootDiskPath, image.kernelPath, image.initrdPath]) {
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile()) throw new MachineError('image-missing', `the golden image lacks ${path}`);
    if (found.size === 0) throw new MachineError('image-damaged', `${path} of the golden image is empty`);
    if (path === image.rootDiskPath && image.rootDiskBytes !== undefined && found.size !== image.rootDiskBytes) {
      throw new MachineError(
        'image-damaged',
        `${path} is damaged: ${found.size} bytes instead of ${image.rootDiskBytes}`,
      );
    }
    if (!(await userCan(user, 'read', path))) {
      throw new MachineError('image-missing', `the user that machines run as cannot read ${path}`);
    }
  }
  if (!(await looksLikeKernel(image.kernelPath))) {
    throw new MachineError('image-damaged', `${image.kernelPath} of the golden image is not a Linux kernel`);
  }
}

/** Makes the thin write layer over the golden root disk. @throws MachineError `no-space` or `image-damaged` */
export async function createLeaf(
  image: MachineImage,
  leafPath: string,
  user: MachineUser | undefined,
  signal?: AbortSignal,
): Promise<void> {
  const args = ['create', '-q', '-f', 'qcow2', '-o', 'lazy_refcounts=on'];
  args.push('-b', image.rootDiskPath, '-F', image.rootDiskFormat, leafPath);
  try {
    await execFileAsync('qemu-img', args, { ...user, cwd: '/', signal, timeout: 30_000 });
  } catch (cause) {
    signal?.throwIfAborted();
    const said = String((cause as { stderr?: string }).stderr ?? cause).trim();
    if (/No space left/i.test(said)) throw new MachineError('no-space', 'no space left for a leaf', { cause });
    if (/ENOENT/.test(said)) throw new MachineError('failed', 'qemu-img is not installed', { cause });
    throw new MachineError('image-damaged', `no leaf can be made over ${image.rootDiskPath}: ${said}`, { cause });
  }
}

/** A Linux boot image ("HdrS") or an ELF kernel. */
async function looksLikeKernel(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const head = Buffer.alloc(0x206);
    await file.read(head, 0, head.length, 0);
    return head.toString('latin1', 0x202, 0x206) === 'HdrS' || head.toString('latin1', 0, 4) === '\x7fELF';
  } finally {
    await file.close();
  }
}
