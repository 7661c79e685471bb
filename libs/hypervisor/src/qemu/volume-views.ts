import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { UndoStack } from '#libs/kernel';
import type { ViewOutcome } from '../hypervisor-driver.js';
import { MachineError } from '../machine-error.js';
import { blockNode, takeAway, untilGone } from './block-graph.js';
import { addEncryptedNode, removeEncryptedNode } from './encrypted-node.js';
import type { LeafMaker } from './leaf.js';
import type { MachineFolder } from './machine-record.js';
import { type QmpClient, QmpError } from './qmp-client.js';
import { BITMAP_PREFIX, bitmapName, volumeNames } from './volume-names.js';

const jobList = z.array(z.object({ device: z.string() }));
const exportList = z.array(z.object({ id: z.string() }));

/** What readers of a view ask for, so that a reader of an earlier one never finds a later one. */
export const exportName = (viewId: string): string => `view-${viewId}`;

interface LeafState {
  readonly sizeBytes: number;
  /** Of the views that are open: one, unless there was a fault. */
  readonly openIds: readonly string[];
  /** Of the view to come. */
  readonly nextId: string | undefined;
}

/** @returns undefined when the machine has no such writable volume */
async function leafState(qmp: QmpClient, volumeId: string, timeoutMs: number): Promise<LeafState | undefined> {
  const node = await blockNode(qmp, volumeNames(volumeId).leaf, timeoutMs);
  if (!node) return undefined;
  const ours = node.bitmaps.filter(({ name }) => name.startsWith(BITMAP_PREFIX));
  const ids = (isRecording: boolean) =>
    ours.filter((bitmap) => bitmap.isRecording === isRecording).map(({ name }) => name.slice(BITMAP_PREFIX.length));
  return { sizeBytes: node.sizeBytes, openIds: ids(false), nextId: ids(true)[0] };
}

/**
 * Makes a view of a writable volume. All that is changed in one moment: writes are from now on recorded for the next
 * view, and what they write over is kept for this one.
 * @param atTheMoment runs what it is given while the guest holds its writes back, if it does
 * @throws MachineError `not-found`, `volume-busy`, `no-space`; QmpError. Nothing of it is left then.
 */
export async function makeView<T>(
  qmp: QmpClient,
  volumeId: string,
  given: {
    readonly folder: MachineFolder;
    readonly leaves: LeafMaker;
    readonly leftMs: () => number;
    /** The view that somebody has open. Any other was left behind, and is dropped. */
    readonly openId: string | undefined;
  },
  atTheMoment: (take: () => Promise<void>) => Promise<T>,
): Promise<{ id: string; sizeBytes: number; taken: T }> {
  const { folder, leaves, leftMs, openId } = given;
  const state = await leafState(qmp, volumeId, leftMs());
  if (!state) throw new MachineError('not-found', `the machine has no writable volume ${volumeId}`);
  if (openId && state.openIds.includes(openId)) {
    throw new MachineError('volume-busy', `a view of volume ${volumeId} is open`);
  }
  const id = state.nextId;
  if (!id) throw new MachineError('failed', `nothing records the changes of volume ${volumeId}`);
  const { leaf, view, viewKey, viewFile, viewJob, viewExport } = volumeNames(volumeId);
  await endView(qmp, volumeId, undefined, 'dropped', folder, leftMs);
  return UndoStack.run(async (undo) => {
    undo.add('the view', () => endView(qmp, volumeId, id, 'dropped', folder, () => UNDO_MS));
    const { sizeBytes } = state;
    const layer = { node: view, key: viewKey, file: viewFile };
    await addEncryptedNode(qmp, layer, { backing: leaf, sizeBytes }, { folder, leaves, timeoutMs: leftMs() });
    await startServer(qmp, leftMs());
    const taken = await atTheMoment(async () => {
      const actions = [
        { type: 'block-dirty-bitmap-add', data: { node: leaf, name: bitmapName(randomUUID()), granularity: 65_536 } },
        { type: 'block-dirty-bitmap-disable', data: { node: leaf, name: bitmapName(id) } },
        { type: 'blockdev-backup', data: { 'job-id': viewJob, device: leaf, target: view, sync: 'none' } },
      ];
      await qmp.execute('transaction', { actions }, leftMs());
    });
    const served = {
      type: 'nbd',
      id: viewExport,
      'node-name': view,
      name: exportName(id),
      bitmaps: [{ node: leaf, name: bitmapName(id) }],
    };
    await qmp.execute('block-export-add', served, leftMs());
    return { id, sizeBytes, taken };
  });
}

/** For what a failed call takes back. */
const UNDO_MS = 5_000;

/** One server for each machine, for all its views; it stays. */
async function startServer(qmp: QmpClient, timeoutMs: number): Promise<void> {
  const addr = { type: 'unix', data: { path: 'views.sock' } };
  await qmp.execute('nbd-server-start', { addr }, timeoutMs).catch((error: unknown) => {
    if (!(error instanceof QmpError) || !/already running/i.test(error.message)) throw error;
  });
}

/**
 * Ends a view; nothing happens when another is open. Can be cut short anywhere and repeated: until its bitmap is gone it
 * counts as open.
 * @param viewId undefined: whichever is open
 * @throws QmpError
 */
export async function endView(
  qmp: QmpClient,
  volumeId: string,
  viewId: string | undefined,
  outcome: ViewOutcome,
  folder: MachineFolder,
  leftMs: () => number,
): Promise<void> {
  const state = await leafState(qmp, volumeId, leftMs());
  if (!state || (viewId !== undefined && state.openIds.length > 0 && !state.openIds.includes(viewId))) return;
  const { leaf } = volumeNames(volumeId);
  await removeExport(qmp, volumeId, leftMs);
  for (const id of state.openIds) {
    const name = bitmapName(id);
    const removal = { type: 'block-dirty-bitmap-remove', data: { node: leaf, name } };
    const target = state.nextId && bitmapName(state.nextId);
    const merge = { type: 'block-dirty-bitmap-merge', data: { node: leaf, target, bitmaps: [name] } };
    const actions = outcome === 'confirmed' ? [removal] : [merge, removal];
    await qmp.execute('transaction', { actions }, leftMs());
  }
  await removeView(qmp, volumeId, folder, leftMs);
}

/** Removes all that there is of a view but its bitmap. @throws QmpError */
export async function removeView(
  qmp: QmpClient,
  volumeId: string,
  folder: MachineFolder,
  leftMs: () => number,
): Promise<void> {
  const { view, viewKey, viewFile, viewJob } = volumeNames(volumeId);
  await removeExport(qmp, volumeId, leftMs);
  await takeAway(qmp, 'block-job-cancel', { device: viewJob, force: true }, leftMs());
  const works = async () =>
    jobList.parse(await qmp.execute('query-block-jobs', {}, leftMs())).some(({ device }) => device === viewJob);
  await untilGone('the job of a view', works, leftMs());
  await removeEncryptedNode(qmp, { node: view, key: viewKey, file: viewFile }, folder, leftMs());
}

async function removeExport(qmp: QmpClient, volumeId: string, leftMs: () => number): Promise<void> {
  const { viewExport } = volumeNames(volumeId);
  await takeAway(qmp, 'block-export-del', { id: viewExport, mode: 'hard' }, leftMs());
  const isServed = async () =>
    exportList.parse(await qmp.execute('query-block-exports', {}, leftMs())).some(({ id }) => id === viewExport);
  await untilGone('the export of a view', isServed, leftMs());
}
