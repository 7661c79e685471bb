import type { Logger } from 'pino';
import { z } from 'zod';
import { KeyedLock } from '#libs/kernel';
import type { ViewOutcome, ViewVolumeOptions, VolumeCallOptions } from '../hypervisor-driver.js';
import { MachineError } from '../machine-error.js';
import {
  type MachineVolume,
  machineVolumeSchema,
  type WritableMachineVolume,
  writableVolumeSchema,
} from '../machine-volume.js';
import type { NbdViewOpener, VolumeView } from '../volume-view.js';
import { attachedVolumes, attachVolume, type DiskLayer, detachVolume } from './attached-volumes.js';
import { blockNode } from './block-graph.js';
import type { GuestFreezer } from './guest-freezer.js';
import type { LeafMaker } from './leaf.js';
import type { LiveMachine } from './live-machine.js';
import type { QmpClient } from './qmp-client.js';
import { withShortAddress } from './unix-socket.js';
import { bitmapName, volumeNames } from './volume-names.js';
import { endView, exportName, makeView } from './volume-views.js';
import { removeLeaf, writableLeaf, writableVolumes } from './writable-leaf.js';

const TIMEOUT_MS = 10_000;

/** Volumes of machines, one change at a time for each machine. */
export class MachineVolumes {
  private readonly changes = new KeyedLock();

  constructor(
    private readonly given: {
      readonly reconnectDelayS: number;
      readonly leaves: LeafMaker;
      readonly freezer: GuestFreezer;
      readonly openNbdView: NbdViewOpener | undefined;
      readonly logger: Logger;
    },
  ) {}

  /** As `attachVolume` of the port. */
  attach(machine: LiveMachine, volume: MachineVolume, options: VolumeCallOptions): Promise<void> {
    return this.change(machine, options.signal, async (qmp) => {
      const checked = parse(machineVolumeSchema, volume);
      const { served, leaf } = volumeNames(checked.id);
      const plain: DiskLayer = {
        clear: async (leftMs) => {
          if (await blockNode(qmp, leaf, leftMs())) await removeLeaf(qmp, checked.id, machine.folder, leftMs);
        },
        add: async () => served,
      };
      await this.plugIn(qmp, machine, checked, plain, options);
    });
  }

  /** As `attachWritableVolume` of the port. */
  attachWritable(machine: LiveMachine, volume: WritableMachineVolume, options: VolumeCallOptions): Promise<void> {
    return this.change(machine, options.signal, async (qmp) => {
      const checked = parse(writableVolumeSchema, volume);
      const layer = writableLeaf(qmp, checked, { folder: machine.folder, leaves: this.given.leaves });
      // From before its first write: nobody may take the machine for one that can go.
      machine.hasWritableVolume = true;
      try {
        await this.plugIn(qmp, machine, checked, layer, options);
      } finally {
        await this.refresh(qmp, machine);
      }
      if (await blockNode(qmp, volumeNames(checked.id).leaf, TIMEOUT_MS)) return;
      throw new MachineError('failed', `machine ${machine.id} has volume ${checked.id} already, and may not write it`);
    });
  }

  /** As `viewVolume` of the port. */
  view(machine: LiveMachine, volumeId: string, options: ViewVolumeOptions): Promise<VolumeView> {
    const { signal, timeoutMs = TIMEOUT_MS, correlationId, freeze } = options;
    return this.change(machine, signal, async (qmp) => {
      const startedAt = performance.now();
      const leftMs = deadlineIn(timeoutMs);
      const { folder, openViews } = machine;
      const { leaves, freezer, logger } = this.given;
      const made = { folder, leaves, leftMs, openId: openViews.get(volumeId) };
      const { id, sizeBytes, taken } = await makeView(qmp, volumeId, made, async (take) => {
        signal?.throwIfAborted();
        if (freeze && machine.state === 'running') {
          return await freezer.whileFrozen(machine, freeze.mountPoint, take, signal);
        }
        await take();
        return null;
      });
      openViews.set(volumeId, id);
      const [durationMs, frozenMs] = [performance.now() - startedAt, taken].map((ms) => ms && Math.round(ms));
      logger.info({ machineId: machine.id, volumeId, correlationId, durationMs, frozenMs }, 'view of a volume made');
      return { id, sizeBytes, frozenMs: taken, open: (stop) => this.open(machine, volumeId, id, stop) };
    });
  }

  /** As `closeView` of the port. */
  async closeView(
    machine: LiveMachine,
    volumeId: string,
    viewId: string,
    outcome: ViewOutcome,
    options: VolumeCallOptions,
  ): Promise<void> {
    const { signal, timeoutMs = TIMEOUT_MS } = options;
    await this.whatIsLeft(() =>
      this.change(machine, signal, async (qmp) => {
        // Whatever comes of it: what is not closed now is left behind, and dropped before the next.
        if (machine.openViews.get(volumeId) === viewId) machine.openViews.delete(volumeId);
        await endView(qmp, volumeId, viewId, outcome, machine.folder, deadlineIn(timeoutMs));
      }),
    );
  }

  /** As `detachVolume` of the port. */
  async detach(machine: LiveMachine, volumeId: string, options: VolumeCallOptions): Promise<void> {
    const { signal, timeoutMs = TIMEOUT_MS, correlationId } = options;
    signal?.throwIfAborted();
    await this.whatIsLeft(() =>
      this.change(machine, signal, async (qmp) => {
        machine.openViews.delete(volumeId);
        try {
          await detachVolume(qmp, volumeId, timeoutMs, (leftMs) => removeLeaf(qmp, volumeId, machine.folder, leftMs));
        } finally {
          if (machine.hasWritableVolume) await this.refresh(qmp, machine);
        }
        this.given.logger.info({ machineId: machine.id, volumeId, correlationId }, 'volume detached');
      }),
    );
  }

  /** As `volumes` of the port. */
  list(machine: LiveMachine): Promise<readonly string[]> {
    return this.ask(machine, (qmp) => attachedVolumes(qmp, TIMEOUT_MS));
  }

  /** Drops the views that an earlier process left open in a machine. They cost it memory, disk and time. */
  async dropViews(machine: LiveMachine): Promise<void> {
    await this.whatIsLeft(() =>
      this.change(machine, undefined, async (qmp) => {
        for (const id of await writableVolumes(qmp, TIMEOUT_MS)) {
          if (machine.openViews.has(id)) continue;
          await endView(qmp, id, undefined, 'dropped', machine.folder, deadlineIn(TIMEOUT_MS));
        }
      }),
    );
  }

  private async plugIn(
    qmp: QmpClient,
    machine: LiveMachine,
    volume: MachineVolume,
    layer: DiskLayer,
    { signal, timeoutMs = TIMEOUT_MS, correlationId }: VolumeCallOptions,
  ): Promise<void> {
    const startedAt = performance.now();
    const { reconnectDelayS, logger } = this.given;
    await attachVolume(qmp, volume, { reconnectDelayS, timeoutMs, signal, layer });
    const durationMs = Math.round(performance.now() - startedAt);
    logger.info({ machineId: machine.id, volumeId: volume.id, correlationId, durationMs }, 'volume attached');
  }

  /** Asks the machine whether it still has something to lose, and has its process end with its guest if not. */
  private async refresh(qmp: QmpClient, machine: LiveMachine): Promise<void> {
    machine.hasWritableVolume = (await writableVolumes(qmp, TIMEOUT_MS)).length > 0;
    if (!machine.hasWritableVolume) await qmp.execute('set-action', { shutdown: 'poweroff' });
  }

  private async open(machine: LiveMachine, volumeId: string, viewId: string, signal?: AbortSignal) {
    const { openNbdView } = this.given;
    if (!openNbdView) throw new MachineError('failed', 'this driver was not told how to read views');
    if (machine.openViews.get(volumeId) !== viewId) throw new MachineError('failed', 'the view is closed');
    const names = { exportName: exportName(viewId), bitmapName: bitmapName(viewId) };
    try {
      return await withShortAddress(machine.folder.run('views.sock'), (socketPath) =>
        openNbdView({ ...names, socketPath }, signal),
      );
    } catch (cause) {
      signal?.throwIfAborted();
      const said = cause instanceof Error ? cause.message : String(cause);
      throw new MachineError('failed', `the view of volume ${volumeId} cannot be opened: ${said}`, { cause });
    }
  }

  /** For what has nothing to do when the machine is gone. */
  private async whatIsLeft(operation: () => Promise<void>): Promise<void> {
    try {
      await operation();
    } catch (error) {
      if (!(error instanceof MachineError && error.code === 'not-found')) throw error;
    }
  }

  private change<T>(
    machine: LiveMachine,
    signal: AbortSignal | undefined,
    operation: (qmp: QmpClient) => Promise<T>,
  ): Promise<T> {
    return this.changes.run(machine.id, () => {
      signal?.throwIfAborted();
      return this.ask(machine, operation);
    });
  }

  /** @throws MachineError `not-found` when the machine's process has ended, also meanwhile */
  private async ask<T>(machine: LiveMachine, operation: (qmp: QmpClient) => Promise<T>): Promise<T> {
    const hasEnded = () => machine.isBeingDestroyed || (machine.state === 'ended' && !machine.isKept);
    const notFound = (cause?: unknown) => new MachineError('not-found', `machine ${machine.id} has ended`, { cause });
    if (hasEnded()) throw notFound();
    let qmp: QmpClient | undefined;
    try {
      qmp = await machine.monitor();
      return await operation(qmp);
    } catch (cause) {
      if (hasEnded()) throw notFound(cause);
      if (cause instanceof MachineError || !(cause instanceof Error) || cause.name === 'AbortError') throw cause;
      if (qmp && cause.name !== 'QmpError' && !(cause instanceof z.ZodError)) throw cause;
      throw new MachineError('failed', `machine ${machine.id}: ${cause.message}`, { cause });
    }
  }
}

const deadlineIn = (timeoutMs: number): (() => number) => {
  const deadline = Date.now() + timeoutMs;
  return () => Math.max(1, deadline - Date.now());
};

/** @throws MachineError `failed` */
function parse<T>(schema: z.ZodType<T>, volume: unknown): T {
  const checked = schema.safeParse(volume);
  if (checked.success) return checked.data;
  throw new MachineError('failed', `not a volume: ${z.prettifyError(checked.error)}`);
}
