import { createHash } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { runTool } from '#libs/images';
import { AppLayerError } from '../app-layer-error.js';

/** Compressed blocks of this length: see decision 015. */
const CLUSTER_BYTES = 16 * 1024;

/** Makes an EROFS file of a folder; the same content gives the same bytes. @throws AppLayerError */
export async function packLayer(options: {
  name: string;
  treeDir: string;
  layerPath: string;
  /** Time of all files, in seconds. */
  epoch: number;
  logPath: string;
  signal?: AbortSignal;
}): Promise<void> {
  const { name, treeDir, layerPath, epoch, logPath, signal } = options;
  const { exitCode, tail } = await runTool({
    command: 'mkfs.erofs',
    args: [
      ...['--quiet', '-x-1', '--all-root', `-T${epoch}`, `-U${uuidOf(name)}`],
      ...['-zlz4hc,12', `-C${CLUSTER_BYTES}`, layerPath, treeDir],
    ],
    logPath,
    signal,
  });
  if (exitCode !== 0) {
    if (/No space left/i.test(tail))
      throw new AppLayerError('no-space', `the disk became full while the layer was packed; see ${logPath}`);
    throw new AppLayerError('build-failed', `mkfs.erofs could not pack the layer; see ${logPath}`);
  }
  await chmod(layerPath, 0o444);
}

function uuidOf(name: string): string {
  const hex = createHash('sha256').update(`goldleaf-app ${name}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
