import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chown, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { MachineImage } from '../machine.js';
import { MachineError } from '../machine-error.js';
import { newLeafKey } from './leaf-key.js';
import { type FilePart, luksContainer } from './luks-container.js';
import { type MachineUser, userCan } from './machine-user.js';

const execFileAsync = promisify(execFile);

/** Looks whether the files are there and of the right size. @throws MachineError as checkImage */
export async function checkImageFiles(image: MachineImage): Promise<void> {
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
  }
}

/** The same, and whether a machine can use them. @throws MachineError `image-missing` or `image-damaged`, naming the file */
export async function checkImage(image: MachineImage, user: MachineUser | undefined): Promise<void> {
  await checkImageFiles(image);
  for (const path of [image.rootDiskPath, image.kernelPath, image.initrdPath]) {
    if (!(await userCan(user, 'read', path))) {
      throw new MachineError('image-missing', `the user that machines run as cannot read ${path}`);
    }
  }
  if (!(await looksLikeKernel(image.kernelPath))) {
    throw new MachineError('image-damaged', `${image.kernelPath} of the golden image is not a Linux kernel`);
  }
}

/** What a leaf lies over: a golden root disk, or the disk of a parent. */
export interface LeafFile {
  readonly path: string;
  readonly format: 'raw' | 'qcow2';
}

/** That, or whatever a machine itself puts under a leaf of this size. */
export type LeafBase = LeafFile | { readonly sizeBytes: number };

const keyOf = (base: LeafBase): string => ('path' in base ? base.path : `${base.sizeBytes}`);

const BLANK_NAME = /^blank-[0-9a-f-]{36}\.qcow2$/;

/** Long enough for the machine at hand to be under way. */
const AHEAD_DELAY_MS = 50;

interface Container {
  readonly key: Buffer;
  readonly parts: readonly FilePart[];
}

function makeContainer(content: Buffer): Container {
  const key = newLeafKey();
  return { key, parts: luksContainer(key, content) };
}

/** Makes thin write layers. Empty ones over the same disk are all alike, so each disk's is made once and copied. */
export class LeafMaker {
  private readonly ahead = new Map<string, Container>();
  private readonly blanks = new Map<string, Promise<Buffer>>();

  /** @param workDir of Goldleaf's own, for files that live for a moment */
  constructor(
    private readonly workDir: string,
    private readonly user: MachineUser | undefined,
  ) {}

  /** Removes what a process left here that died in the middle. */
  async sweep(): Promise<void> {
    const left = (await readdir(this.workDir)).filter((name) => BLANK_NAME.test(name));
    for (const name of left) await rm(join(this.workDir, name), { force: true });
  }

  /** @throws MachineError `no-space` or `image-damaged` */
  async create(base: LeafBase, leafPath: string): Promise<void> {
    await writeFile(leafPath, await this.blank(base), { mode: 0o600, flag: 'wx' });
    if (this.user) await chown(leafPath, this.user.uid, this.user.gid);
  }

  /**
   * The same, of which nothing can be read without its key. One container is made ahead, in memory, after each that
   * was taken.
   * @returns the key, for its caller to hand over and wipe
   * @throws MachineError as `create`; the error of the file
   */
  async createEncrypted(base: LeafBase, leafPath: string): Promise<Buffer> {
    const ready = this.ahead.get(keyOf(base));
    this.ahead.delete(keyOf(base));
    const { key, parts } = ready ?? makeContainer(await this.blank(base));
    const file = await open(leafPath, 'wx', 0o600);
    try {
      for (const { offset, bytes } of parts) await file.write(bytes, 0, bytes.length, offset);
    } finally {
      await file.close();
    }
    if (this.user) await chown(leafPath, this.user.uid, this.user.gid);
    this.makeAhead(base);
    return key;
  }

  private makeAhead(base: LeafBase): void {
    setTimeout(() => {
      if (this.ahead.has(keyOf(base))) return;
      this.blank(base).then(
        (blank) => this.ahead.set(keyOf(base), makeContainer(blank)),
        () => undefined,
      );
    }, AHEAD_DELAY_MS).unref();
  }

  private blank(base: LeafBase): Promise<Buffer> {
    let blank = this.blanks.get(keyOf(base));
    if (!blank) {
      blank = this.makeBlank(base);
      this.blanks.set(keyOf(base), blank);
      blank.catch(() => this.blanks.delete(keyOf(base)));
    }
    return blank;
  }

  private async makeBlank(base: LeafBase): Promise<Buffer> {
    const path = join(this.workDir, `blank-${randomUUID()}.qcow2`);
    const over = 'path' in base ? ['-b', base.path, '-F', base.format, path] : [path, `${base.sizeBytes}`];
    const args = ['create', '-q', '-f', 'qcow2', '-o', 'lazy_refcounts=on', ...over];
    try {
      await execFileAsync('qemu-img', args, { cwd: '/', timeout: 30_000 });
      return await readFile(path);
    } catch (cause) {
      const said = String((cause as { stderr?: string }).stderr ?? cause).trim();
      if (/No space left/i.test(said)) throw new MachineError('no-space', 'no space left for a leaf', { cause });
      if (/ENOENT/.test(said)) throw new MachineError('failed', 'qemu-img is not installed', { cause });
      if (!('path' in base)) throw new MachineError('failed', `no leaf of that size can be made: ${said}`, { cause });
      throw new MachineError('image-damaged', `no leaf can be made over ${base.path}: ${said}`, { cause });
    } finally {
      await rm(path, { force: true });
    }
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
