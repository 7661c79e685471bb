import { z } from 'zod';
import { UndoStack } from '#libs/kernel';
import { MachineError } from '../machine-error.js';
import type { MachineVolume } from '../machine-volume.js';
import { takeAway } from './block-graph.js';
import { requireNbdServer } from './nbd-probe.js';
import { type QmpClient, QmpError } from './qmp-client.js';
import { DEVICE_PREFIX, VOLUME_BUS, volumeNames } from './volume-names.js';

const deviceList = z.array(z.object({ name: z.string() }));
const deviceDeleted = z.object({ device: z.string() });

/** Ids of the volumes that a machine has as disks. */
export async function attachedVolumes(qmp: QmpClient, timeoutMs: number): Promise<string[]> {
  const devices = deviceList.parse(await qmp.execute('qom-list', { path: '/machine/peripheral' }, timeoutMs));
  return devices.flatMap(({ name }) => (name.startsWith(DEVICE_PREFIX) ? [name.slice(DEVICE_PREFIX.length)] : []));
}

/** What a disk is put over besides the served node, and what else a volume needs. */
export interface DiskLayer {
  /** Removes what an attempt left that died half-way. */
  clear(leftMs: () => number): Promise<void>;
  /** Made when the served node is there; undone by `clear` when the rest fails. @returns the node of the disk */
  add(leftMs: () => number): Promise<string>;
}

/**
 * Plugs a volume in. Nothing happens when it is there already; nodes without a disk, left by a process that died
 * half-way, are made anew.
 * @throws MachineError `volume-unavailable`; QmpError; the reason of the signal. Nothing of it is left then.
 */
export async function attachVolume(
  qmp: QmpClient,
  volume: MachineVolume,
  options: { reconnectDelayS: number; timeoutMs: number; signal: AbortSignal | undefined; layer: DiskLayer },
): Promise<void> {
  const { signal, layer } = options;
  const deadline = Date.now() + options.timeoutMs;
  const leftMs = () => Math.max(1, deadline - Date.now());
  if ((await attachedVolumes(qmp, leftMs())).includes(volume.id)) {
    if (!(await isLeaving(qmp, volume.id, leftMs()))) return;
    await detachVolume(qmp, volume.id, leftMs(), layer.clear);
  }
  signal?.throwIfAborted();
  // QEMU shakes hands with the server in the loop that also draws the screen: a dumb server would stop the machine.
  await requireNbdServer(volume.socketPath, leftMs(), signal);
  await layer.clear(leftMs);
  const { device, served } = volumeNames(volume.id);
  await removeServed(qmp, volume.id, leftMs());
  await UndoStack.run(async (undo) => {
    undo.add('the connection to the volume', () => removeServed(qmp, volume.id, options.timeoutMs));
    const blockdev = {
      driver: 'nbd',
      'node-name': served,
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
    undo.add('the leaf of the volume', () => layer.clear(() => options.timeoutMs));
    const drive = await layer.add(leftMs);
    signal?.throwIfAborted();
    undo.add('the disk of the volume', () => unplug(qmp, volume.id, options.timeoutMs));
    const disk = {
      driver: 'scsi-hd',
      id: device,
      bus: VOLUME_BUS,
      drive,
      serial: volume.id,
      // An error is the guest's to see; QEMU's own choice for writes would freeze the machine.
      rerror: 'report',
      werror: 'report',
    };
    await qmp.execute('device_add', disk, leftMs());
    signal?.throwIfAborted();
  });
}

/**
 * Takes a volume away; nothing happens when it is not there.
 * @param clear removes what lies over the served node, when the disk is gone
 * @throws MachineError `volume-busy` when it is still there at the deadline; QmpError
 */
export async function detachVolume(
  qmp: QmpClient,
  volumeId: string,
  timeoutMs: number,
  clear: DiskLayer['clear'],
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  const leftMs = () => Math.max(1, deadline - Date.now());
  try {
    await unplug(qmp, volumeId, leftMs());
    await clear(leftMs);
    await removeServed(qmp, volumeId, leftMs());
  } catch (cause) {
    if (!(cause instanceof QmpError) || qmp.isClosed) throw cause;
    throw new MachineError('volume-busy', `volume ${volumeId} is still in the machine: ${cause.message}`, { cause });
  }
}

async function unplug(qmp: QmpClient, volumeId: string, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  const leftMs = () => Math.max(1, deadline - Date.now());
  if (!(await attachedVolumes(qmp, leftMs())).includes(volumeId)) return;
  const { device, served, leaving } = volumeNames(volumeId);
  // From here on the disk is of no use any more: whoever is to attach it again has to know.
  const mark = { 'qom-type': 'secret', id: leaving, data: 'leaving' };
  await qmp.execute('object-add', mark, leftMs()).catch((error: unknown) => {
    if (!(error instanceof QmpError) || !/duplicate/i.test(error.message)) throw error;
  });
  // What is still being read fails now: QEMU would wait for it, and show nothing and hear nothing meanwhile.
  const instance = { type: 'block-node', 'node-name': served };
  await qmp.execute('yank', { instances: [instance] }, leftMs()).catch(() => undefined);
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
async function removeServed(qmp: QmpClient, volumeId: string, timeoutMs: number): Promise<void> {
  const { served, leaving } = volumeNames(volumeId);
  await takeAway(qmp, 'blockdev-del', { 'node-name': served }, timeoutMs);
  await takeAway(qmp, 'object-del', { id: leaving }, timeoutMs);
}

async function isLeaving(qmp: QmpClient, volumeId: string, timeoutMs: number): Promise<boolean> {
  const objects = deviceList.parse(await qmp.execute('qom-list', { path: '/objects' }, timeoutMs));
  return objects.some(({ name }) => name === volumeNames(volumeId).leaving);
}
