import type { Logger } from 'pino';
import { z } from 'zod';
import type { VolumeCallOptions } from '../hypervisor-driver.js';
import { MachineError } from '../machine-error.js';
import { type MachineVolume, machineVolumeSchema } from '../machine-volume.js';
import { attachedVolumes, attachVolume, detachVolume } from './attached-volumes.js';
import { KeyedLock } from './keyed-lock.js';
import type { LiveMachine } from './live-machine.js';
import type { QmpClient } from './qmp-client.js';

const TIMEOUT_MS = 10_000;

/** Volumes of running machines, one change at a time for each machine. */
export class MachineVolumes {
  private readonly changes = new KeyedLock();

  constructor(
    private readonly reconnectDelayS: number,
    private readonly logger: Logger,
  ) {}

  /** As `attachVolume` of the port. */
  attach(machine: LiveMachine, volume: MachineVolume, options: VolumeCallOptions): Promise<void> {
    const { signal, timeoutMs = TIMEOUT_MS, correlationId } = options;
    return this.change(machine, signal, async (qmp) => {
      const checked = machineVolumeSchema.safeParse(volume);
      if (!checked.success) throw new MachineError('failed', `not a volume: ${z.prettifyError(checked.error)}`);
      const startedAt = performance.now();
      await attachVolume(qmp, checked.data, { reconnectDelayS: this.reconnectDelayS, timeoutMs, signal });
      const durationMs = Math.round(performance.now() - startedAt);
      this.logger.info({ machineId: machine.id, volumeId: volume.id, correlationId, durationMs }, 'volume attached');
    });
  }

  /** As `detachVolume` of the port. */
  async detach(machine: LiveMachine, volumeId: string, options: VolumeCallOptions): Promise<void> {
    const { signal, timeoutMs = TIMEOUT_MS, correlationId } = options;
    signal?.throwIfAborted();
    try {
      await this.change(machine, signal, (qmp) => detachVolume(qmp, volumeId, timeoutMs));
      this.logger.info({ machineId: machine.id, volumeId, correlationId }, 'volume detached');
    } catch (error) {
      if (!(error instanceof MachineError && error.code === 'not-found')) throw error;
    }
  }

  /** As `volumes` of the port. */
  list(machine: LiveMachine): Promise<readonly string[]> {
    return this.ask(machine, (qmp) => attachedVolumes(qmp, TIMEOUT_MS));
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

  /** @throws MachineError `not-found` when the machine has ended, also meanwhile */
  private async ask<T>(machine: LiveMachine, operation: (qmp: QmpClient) => Promise<T>): Promise<T> {
    const hasEnded = () => machine.state === 'ended' || machine.isBeingDestroyed;
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
