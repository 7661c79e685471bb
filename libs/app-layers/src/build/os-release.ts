import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppLayerError } from '../app-layer-error.js';

export interface OsRelease {
  readonly id: string;
  readonly versionId: string;
  /** Of the release, e.g. `bookworm`; empty when the system has none. */
  readonly codename: string;
}

/** @param root folder of a root file system @throws AppLayerError 'build-failed' when it does not say what it is */
export async function readOsRelease(root: string): Promise<OsRelease> {
  const text =
    (await readFile(join(root, 'usr/lib/os-release'), 'utf8').catch(() => undefined)) ??
    (await readFile(join(root, 'etc/os-release'), 'utf8').catch(() => ''));
  const field = (name: string) => new RegExp(`^${name}=["']?([^"'\n]*)["']?$`, 'm').exec(text)?.[1] ?? '';
  const id = field('ID');
  if (id === '') throw new AppLayerError('build-failed', 'the golden image has no os-release that names its ID');
  return { id, versionId: field('VERSION_ID'), codename: field('VERSION_CODENAME') };
}
