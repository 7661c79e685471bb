import type { CallOptions, ViewOutcome, ViewVolumeOptions, VolumeCallOptions } from '../hypervisor-driver.js';
import { MachineError } from '../machine-error.js';
import {
  type MachineVolume,
  machineVolumeSchema,
  type WritableMachineVolume,
  writableVolumeSchema,
} from '../machine-volume.js';
import type { VolumeView } from '../volume-view.js';
import type { FakeCall, FakeHost, FakeMachine } from './fake-host.js';
import { FakeWritableVolume } from './fake-writable-volume.js';

const TIMEOUT_MS = 10_000;

/** What a fake driver does with volumes. */
export class FakeVolumes {
  constructor(
    private readonly host: FakeHost,
    private readonly driver: {
      /** @throws MachineError `not-found` */
      running(machineId: string): FakeMachine;
      /** Fails or hangs when the test asked for it. */
      trouble(call: FakeCall, options: CallOptions, timeoutMs: number, onTimeout: MachineError['code']): Promise<void>;
      pause(ms: number, signal?: AbortSignal): Promise<void>;
    },
  ) {}

  async attach(machineId: string, volume: MachineVolume, options: VolumeCallOptions): Promise<void> {
    options.signal?.throwIfAborted();
    if (!machineVolumeSchema.safeParse(volume).success) throw new MachineError('failed', 'not a volume');
    const { volumes } = await this.attaching('attachVolume', machineId, options);
    if (!volumes.has(volume.id)) volumes.set(volume.id, volume);
  }

  async attachWritable(machineId: string, volume: WritableMachineVolume, options: VolumeCallOptions): Promise<void> {
    options.signal?.throwIfAborted();
    if (!writableVolumeSchema.safeParse(volume).success) throw new MachineError('failed', 'not a writable volume');
    const { volumes, writable } = await this.attaching('attachWritableVolume', machineId, options);
    if (writable.has(volume.id)) return;
    if (volumes.has(volume.id)) throw new MachineError('failed', `the machine has ${volume.id}, and may not write it`);
    volumes.set(volume.id, volume);
    writable.set(volume.id, new FakeWritableVolume(volume, (...what) => this.host.servedContent(...what)));
  }

  async view(machineId: string, volumeId: string, options: ViewVolumeOptions): Promise<VolumeView> {
    options.signal?.throwIfAborted();
    this.alive(machineId);
    await this.driver.trouble('viewVolume', options, options.timeoutMs ?? TIMEOUT_MS, 'failed');
    const machine = this.alive(machineId);
    const volume = machine.writable.get(volumeId);
    if (!volume) throw new MachineError('not-found', `machine ${machineId} has no writable volume ${volumeId}`);
    if (volume.openViewId) throw new MachineError('volume-busy', `a view of ${volumeId} is open`);
    const id = volume.view();
    const isFrozen = options.freeze !== undefined && machine.state === 'running' && this.host.guestsFreeze;
    return {
      id,
      sizeBytes: volume.volume.sizeBytes,
      frozenMs: isFrozen ? 0 : null,
      open: async (signal) => {
        signal?.throwIfAborted();
        try {
          return volume.openReader(id);
        } catch (cause) {
          throw new MachineError('failed', `the view of ${volumeId} is closed`, { cause });
        }
      },
    };
  }

  async closeView(
    machineId: string,
    volumeId: string,
    viewId: string,
    outcome: ViewOutcome,
    options: VolumeCallOptions,
  ): Promise<void> {
    options.signal?.throwIfAborted();
    const volume = this.host.machines.get(machineId)?.writable.get(volumeId);
    try {
      await this.driver.trouble('closeView', options, options.timeoutMs ?? TIMEOUT_MS, 'failed');
    } catch (error) {
      // As in QEMU: what could not be closed is left behind, and dropped before the next.
      volume?.closeView(viewId, 'dropped');
      throw error;
    }
    volume?.closeView(viewId, outcome);
  }

  async detach(machineId: string, volumeId: string, options: VolumeCallOptions): Promise<void> {
    options.signal?.throwIfAborted();
    await this.driver.trouble('detachVolume', options, options.timeoutMs ?? TIMEOUT_MS, 'volume-busy');
    const machine = this.host.machines.get(machineId);
    if (!machine?.volumes.delete(volumeId)) return;
    machine.writable.get(volumeId)?.end();
    machine.writable.delete(volumeId);
    if ([...machine.apps.merged.values()].includes(volumeId)) this.host.tornVolumes.push({ machineId, volumeId });
  }

  async list(machineId: string): Promise<readonly string[]> {
    await this.driver.trouble('volumes', {}, TIMEOUT_MS, 'failed');
    return [...this.alive(machineId).volumes.keys()];
  }

  private async attaching(call: FakeCall, machineId: string, options: VolumeCallOptions): Promise<FakeMachine> {
    this.driver.running(machineId);
    await this.driver.trouble(call, options, options.timeoutMs ?? TIMEOUT_MS, 'failed');
    await this.driver.pause(this.host.attachTimeMs, options.signal);
    return this.driver.running(machineId);
  }

  /** Runs, or has ended and is kept for what its guest wrote. @throws MachineError `not-found` */
  private alive(machineId: string): FakeMachine {
    const machine = this.host.machines.get(machineId);
    return machine && !machine.isBeingDestroyed && machine.writable.size > 0 ? machine : this.driver.running(machineId);
  }
}
