import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** Size and time say quickly, the digest for sure, that a file is what was saved. */
const savedFile = z.strictObject({ bytes: z.int().positive(), modifiedMs: z.number(), sha256: z.string() });

export const parentFileNames = ['memory', 'state', 'disk.qcow2'] as const;
export type ParentFileName = (typeof parentFileNames)[number];

/** `parent.json`: what was saved, of which image, and what it can be used with. */
export const parentRecordSchema = z.strictObject({
  formatVersion: z.literal(1),
  key: z.string().regex(/^[0-9a-f]{40}$/),
  imageDigest: z.string(),
  rootDiskPath: z.string(),
  qemuVersion: z.string(),
  savedAt: z.coerce.date(),
  files: z.strictObject({ memory: savedFile, state: savedFile, 'disk.qcow2': savedFile }),
});

export type ParentRecord = z.infer<typeof parentRecordSchema>;

/** The files of one parent, complete or not there at all. */
export class ParentFolder {
  readonly dir: string;

  constructor(
    parentsDir: string,
    readonly key: string,
  ) {
    this.dir = join(parentsDir, key);
  }

  path(name: ParentFileName): string {
    return join(this.dir, name);
  }

  /** @returns undefined when there is none, or none that can be read */
  async readRecord(): Promise<ParentRecord | undefined> {
    try {
      return parentRecordSchema.parse(JSON.parse(await readFile(join(this.dir, 'parent.json'), 'utf8')));
    } catch {
      return undefined;
    }
  }
}

/** Writes the record of a parent into a folder that is not in its place yet. */
export async function writeParentRecord(dir: string, record: ParentRecord): Promise<void> {
  const path = join(dir, 'parent.json');
  await writeFile(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
  await rename(`${path}.new`, path);
}
