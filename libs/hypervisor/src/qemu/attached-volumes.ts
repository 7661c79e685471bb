import { createHash } from 'node:crypto';
import { z } from 'zod';
import { UndoStack } from '#libs/kernel';
import { MachineError } from '../machine-error.js';
import type { MachineVolume } from '../machine-volume.js';
import { requireNbdServer } from './nbd-probe.js';
import { type QmpClient, QmpError } from './qmp-client.js';

/** The SCSI adapter that volumes are plugged into; part of every machine, and of the parent it is forked from. */
export const VOLUME_BUS = 'volumes.0';
const DEVICE_PREFIX = 'volume-';

const deviceList = z.array(z.object({ name: z.string() }));
const nodeList = z.array(z.object({ 'node-name': z.string().optional() }));
const deviceDeleted = z.object({ device: z.string() });

const deviceName = (volumeId: string): string => `${DEVICE_PREFIX}${volumeId}`;
/** Names of block nodes have at most 31 characters. */
const nodeName = (volumeId: string): string => `v${createHash('sha256').update(volumeId).digest('hex').slice(0, 30)}`;

/** Ids of the volumes that a machine has as disks. */
export async function attachedVolumes(qmp: QmpClient, timeoutMs: number): Promise<string[]> {
  const devices = deviceList.parse(await qmp.execute('qom-list', { path: '/machine/peripheral' }, timeoutMs));
  return devices.flatMap(({ name }) => (name.startsWith(DEVICE_PREFIX) ? [name.slice(DEVICE_PREFIX.length)] : []));
}

async function hasNode(qmp: QmpClient, volumeId: string, timeoutMs: number): Promise<boolean> {
  const nodes = nodeList.parse(await qmp.execute('query-named-block-nodes', { flat: true }, timeoutMs));
  return nodes.some((node) => node['node-name'] === nodeName(volumeId));
}

/**
 * Plugs a volume in. Nothing happens when it is there already; a node without a disk, left by a process that died
 * half-way, is made anew.
 * @throws MachineError `volume-unavailable`; QmpError; the reason of the signal. Nothing of it is left then.
 */
export async function attachVolume(
  qmp: QmpClient,
  volume: MachineVolume,
  options: { reconnectDelayS: number; timeoutMs: number; signal: AbortSignal | undefined },
): Promise<void> {
  const { signal } = options;
  const deadline = Date.now() + options.timeoutMs;
  const leftMs = () => Math.max(1, deadline - Date.now());
  if ((await attachedVolumes(qmp, leftMs())).includes(volume.id)) return;
  signal?.throwIfAborted();
  // QEMU shakes hands with the server in the loop that also draws the screen: a dumb server would stop the machine.
  await requireNbdServer(volume.socketPath, leftMs(), signal);
  if (await hasNode(qmp, volume.id, leftMs())) await removeNode(qmp, volume.id, leftMs());
  const node = nodeName(volume.id);
  await UndoStack.run(async (undo) => {
    undo.add('the connection to the volume', () => removeNode(qmp, volume.id, options.timeoutMs));
    const blockdev = {
      driver: 'nbd',
      'node-name': node,
      server: { type: 'unix', path: volume.socketPath },
      export: volume.exportName,
      'read-only': true,
      'reconnect-delay': options.reconnectDelayS,
    };
    await qmp.execute('blockdev-add', blockdev, leftMs()).catch((cause: unknown) => {
      const said = cause instanceof Error ? cause.message : String(cause);
      throw new MachineError('volume-unavailable', `the machine cannot open volume ${volume.id}: ${said}`, { cause });
    });
    signal?.throwIfAborted();
    undo.add('the disk of the volume', () => unplug(qmp, volume.id, options.timeoutMs));
    const device = {
      driver: 'scsi-hd',
      id: deviceName(volume.id),
      bus: VOLUME_BUS,
      drive: node,
      serial: volume.id,
      // An error is the guest's to see; QEMU's own choice for writes would freeze the machine.
      rerror: 'report',
      werror: 'report',
    };
    await qmp.execute('device_add', device, leftMs());
    signal?.throwIfAborted();
  });
}

/**
 * Takes a volume away; nothing happens when it is not there.
 * @throws MachineError `volume-busy` when it is still there at the deadline; QmpError
 */
export async function detachVolume(qmp: QmpClient, volumeId: string, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  const leftMs = () => Math.max(1, deadline - Date.now());
  try {
    await unplug(qmp, volumeId, leftMs());
    if (await hasNode(qmp, volumeId, leftMs())) await removeNode(qmp, volumeId, leftMs());
  } catch (cause) {
    if (!(cause instanceof QmpError) || qmp.isClosed) throw cause;
    throw new MachineError('volume-busy', `volume ${volumeId} is still in the machine: ${cause.message}`, { cause });
  }
}

async function unplug(qmp: QmpClient, volumeId: string, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  const leftMs = () => Math.max(1, deadline - Date.now());
  if (!(await attachedVolumes(qmp, leftMs())).includes(volumeId)) return;
  // What is still being read fails now: QEMU would wait for it, and show nothing and hear nothing meanwhile.
  const instance = { type: 'block-node', 'node-name': nodeName(volumeId) };
  await qmp.execute('yank', { instances: [instance] }, leftMs()).catch(() => undefined);
  const device = deviceName(volumeId);
  const gone = qmp.waitForEvent(
    'DEVICE_DELETED',
    (data) => deviceDeleted.safeParse(data).data?.device === device,
    leftMs(),
  );
  // It may be on its way out since an earlier call, which QEMU says as an error.
  const asked = qmp.execute('device_del', { id: device }, leftMs()).catch((error: unknown) => error);
  const refused = await Promise.race([asked, gone.then(() => undefined)]);
  if (refused instanceof Error && !/in the process of unplug|not found/i.test(refused.message)) {
    gone.catch(() => undefined);
    throw refused;
  }
  try {
    await gone;
  } catch (error) {
    if ((await attachedVolumes(qmp, 1_000)).includes(volumeId)) throw error;
  }
}

/** @throws QmpError, also when a disk still uses it */
async function removeNode(qmp: QmpClient, volumeId: string, timeoutMs: number): Promise<void> {
  await qmp.execute('blockdev-del', { 'node-name': nodeName(volumeId) }, timeoutMs).catch((error: unknown) => {
    if (!(error instanceof QmpError) || !/Failed to find node/i.test(error.message)) throw error;
  });
}
