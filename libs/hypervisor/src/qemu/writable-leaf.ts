import { randomUUID } from 'node:crypto';
import { MachineError } from '../machine-error.js';
import type { WritableMachineVolume } from '../machine-volume.js';
import { attachedVolumes, type DiskLayer } from './attached-volumes.js';
import { blockNode, blockNodes } from './block-graph.js';
import { addEncryptedNode, removeEncryptedNode } from './encrypted-node.js';
import type { LeafMaker } from './leaf.js';
import type { MachineFolder } from './machine-record.js';
import type { QmpClient } from './qmp-client.js';
import { bitmapName, volumeNames } from './volume-names.js';
import { removeView } from './volume-views.js';

/** How finely changes are told apart: also the cluster of a leaf, and what a profile's versions are made of. */
const BITMAP_GRANULARITY_BYTES = 64 << 10;

/** What a writable volume has over the served node. */
export function writableLeaf(
  qmp: QmpClient,
  volume: WritableMachineVolume,
  { folder, leaves }: { folder: MachineFolder; leaves: LeafMaker },
): DiskLayer {
  const names = volumeNames(volume.id);
  const { sizeBytes } = volume;
  return {
    clear: (leftMs) => removeLeaf(qmp, volume.id, folder, leftMs),
    add: async (leftMs) => {
      const { sizeBytes: servedBytes = 0 } = (await blockNode(qmp, names.served, leftMs())) ?? {};
      if (sizeBytes < servedBytes) {
        throw new MachineError(
          'failed',
          `volume ${volume.id} has ${servedBytes} bytes; its disk would have ${sizeBytes}`,
        );
      }
      // What the guest wrote is in this process alone: it has to outlive a guest that ends.
      await qmp.execute('set-action', { shutdown: 'pause' }, leftMs());
      const layer = { node: names.leaf, key: names.leafKey, file: names.leafFile };
      await addEncryptedNode(qmp, layer, { backing: names.served, sizeBytes }, { folder, leaves, timeoutMs: leftMs() });
      const bitmap = { node: names.leaf, name: bitmapName(randomUUID()), granularity: BITMAP_GRANULARITY_BYTES };
      await qmp.execute('block-dirty-bitmap-add', bitmap, leftMs());
      return names.leaf;
    },
  };
}

/** Removes the leaf of a volume and a view of it, or what there is of them. @throws QmpError while a disk uses it */
export async function removeLeaf(
  qmp: QmpClient,
  volumeId: string,
  folder: MachineFolder,
  leftMs: () => number,
): Promise<void> {
  const { leaf, leafKey, leafFile } = volumeNames(volumeId);
  await removeView(qmp, volumeId, folder, leftMs);
  await removeEncryptedNode(qmp, { node: leaf, key: leafKey, file: leafFile }, folder, leftMs());
}

/** Ids of the volumes that a machine has as disks and may write. @throws QmpError */
export async function writableVolumes(qmp: QmpClient, timeoutMs: number): Promise<string[]> {
  const [attached, nodes] = [await attachedVolumes(qmp, timeoutMs), await blockNodes(qmp, timeoutMs)];
  return attached.filter((id) => nodes.has(volumeNames(id).leaf));
}
