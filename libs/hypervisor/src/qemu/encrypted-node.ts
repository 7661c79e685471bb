import { rm } from 'node:fs/promises';
import { takeAway } from './block-graph.js';
import type { LeafMaker } from './leaf.js';
import { asMachineError } from './machine-making.js';
import type { MachineFolder } from './machine-record.js';
import type { QmpClient } from './qmp-client.js';
import type { VolumeNames } from './volume-names.js';

/** An encrypted write layer that a machine which runs already gets: its block node, the secret with its key, its file. */
export interface EncryptedNode {
  readonly node: string;
  readonly key: string;
  readonly file: VolumeNames['leafFile'] | VolumeNames['viewFile'];
}

/**
 * Makes one over another node. Its key goes over the monitor's socket, which its own user and Goldleaf can open, and is
 * nowhere else.
 * @throws MachineError, QmpError; some of it may be there then: see removeEncryptedNode
 */
export async function addEncryptedNode(
  qmp: QmpClient,
  { node, key, file }: EncryptedNode,
  over: { readonly backing: string; readonly sizeBytes: number },
  given: { readonly folder: MachineFolder; readonly leaves: LeafMaker; readonly timeoutMs: number },
): Promise<void> {
  const { folder, leaves, timeoutMs } = given;
  const passphrase = await leaves
    .createEncrypted({ sizeBytes: over.sizeBytes }, folder.run(file))
    .catch((cause: unknown) => {
      throw asMachineError(cause, 'the leaf of a volume');
    });
  try {
    const secret = { 'qom-type': 'secret', id: key, data: passphrase.toString('latin1') };
    await qmp.execute('object-add', secret, timeoutMs);
  } finally {
    passphrase.fill(0);
  }
  // Nothing of it outlives the machine, so nothing is worth waiting for the host's disk.
  const cache = { 'no-flush': true };
  const layer = {
    driver: 'qcow2',
    'node-name': node,
    backing: over.backing,
    discard: 'unmap',
    cache,
    file: {
      driver: 'luks',
      'key-secret': key,
      discard: 'unmap',
      cache,
      // Relative: QEMU's working folder is the machine's `run` folder.
      file: { driver: 'file', filename: file, discard: 'unmap', cache },
    },
  };
  await qmp.execute('blockdev-add', layer, timeoutMs);
}

/** Takes it away, or what there is of it. @throws QmpError, also when something still uses it */
export async function removeEncryptedNode(
  qmp: QmpClient,
  { node, key, file }: EncryptedNode,
  folder: MachineFolder,
  timeoutMs: number,
): Promise<void> {
  await takeAway(qmp, 'blockdev-del', { 'node-name': node }, timeoutMs);
  await takeAway(qmp, 'object-del', { id: key }, timeoutMs);
  await rm(folder.run(file), { force: true });
}
