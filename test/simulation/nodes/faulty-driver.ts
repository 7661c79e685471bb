import {
  type CallOptions,
  type DriverCapabilities,
  type FakeDriver,
  type GuestCommand,
  type GuestMessage,
  type GuestResult,
  type HostCapacity,
  type HypervisorDriver,
  type Machine,
  MachineError,
  type MachineExit,
  type MachineImage,
  type MachineShape,
  type MachineSpec,
  type MachineUsage,
  type MachineVolume,
  type ViewOutcome,
  type ViewVolumeOptions,
  type VolumeCallOptions,
  type VolumeView,
  type WritableMachineVolume,
} from '#libs/hypervisor';
import type { NodeClock } from '../engine/node-clock.js';
import type { Scheduler } from '../engine/scheduler.js';
import type { SimProcess } from '../engine/sim-process.js';
import type { DriverCall, Faults } from '../faults/faults.js';

/** How long a call hangs before the driver gives it up itself. */
const HANG_MS: Readonly<Record<DriverCall, number>> = { create: 60_000, waitReady: 240_000, destroy: 10_000, list: 0 };

export interface DriverDefects {
  /** `destroy` says that it is done and does nothing. */
  readonly destroysNothing: boolean;
  /** `list` answers what was there when its process last read the rows of its host. */
  readonly listsEarlier: boolean;
}

/** The fake driver of one process: each call takes its turn, may fail, hang, or be done and its answer lost. */
export class FaultyDriver implements HypervisorDriver {
  readonly name = 'fake';
  /** For `listsEarlier`. */
  earlier: readonly Machine[] = [];

  constructor(
    private readonly inner: FakeDriver,
    private readonly process: SimProcess,
    private readonly scheduler: Scheduler,
    private readonly clock: NodeClock,
    private readonly faults: Faults,
    private readonly defects: DriverDefects,
  ) {}

  async start(): Promise<void> {
    await this.scheduler.turn(this.process, 'driver.start');
    await this.inner.start();
  }

  stop(): Promise<void> {
    return this.inner.stop();
  }

  capabilities(): DriverCapabilities {
    return this.inner.capabilities();
  }

  capacity(): Promise<HostCapacity> {
    return this.inner.capacity();
  }

  usage(): Promise<readonly MachineUsage[]> {
    return this.inner.usage();
  }

  prepare(image: MachineImage, shape: MachineShape, options?: CallOptions): Promise<void> {
    return this.inner.prepare(image, shape, options);
  }

  create(spec: MachineSpec, options: CallOptions = {}): Promise<Machine> {
    return this.call('create', spec.id, options, () => this.inner.create(spec, options));
  }

  waitReady(machineId: string, timeoutMs: number, options: CallOptions = {}): Promise<Machine> {
    return this.call('waitReady', machineId, options, () => this.inner.waitReady(machineId, timeoutMs, options));
  }

  inspect(machineId: string): Promise<Machine | undefined> {
    return this.inner.inspect(machineId);
  }

  list(): Promise<readonly Machine[]> {
    return this.call('list', '', {}, async () => (this.defects.listsEarlier ? this.earlier : await this.inner.list()));
  }

  /** What is there now, for `listsEarlier`. */
  async lookAhead(): Promise<void> {
    if (this.defects.listsEarlier) this.earlier = await this.inner.list();
  }

  runInGuest(machineId: string, command: GuestCommand, options?: CallOptions): Promise<GuestResult> {
    return this.inner.runInGuest(machineId, command, options);
  }

  fileSystemUsage(machineId: string, mountPoint: string, timeoutMs: number, options?: CallOptions) {
    return this.inner.fileSystemUsage(machineId, mountPoint, timeoutMs, options);
  }

  resizeDisplay(machineId: string, width: number, height: number, options?: CallOptions): Promise<void> {
    return this.inner.resizeDisplay(machineId, width, height, options);
  }

  attachVolume(machineId: string, volume: MachineVolume, options?: VolumeCallOptions): Promise<void> {
    return this.inner.attachVolume(machineId, volume, options);
  }

  attachWritableVolume(machineId: string, volume: WritableMachineVolume, options?: VolumeCallOptions): Promise<void> {
    return this.inner.attachWritableVolume(machineId, volume, options);
  }

  viewVolume(machineId: string, volumeId: string, options?: ViewVolumeOptions): Promise<VolumeView> {
    return this.inner.viewVolume(machineId, volumeId, options);
  }

  closeView(
    machineId: string,
    volumeId: string,
    viewId: string,
    outcome: ViewOutcome,
    options?: VolumeCallOptions,
  ): Promise<void> {
    return this.inner.closeView(machineId, volumeId, viewId, outcome, options);
  }

  detachVolume(machineId: string, volumeId: string, options?: VolumeCallOptions): Promise<void> {
    return this.inner.detachVolume(machineId, volumeId, options);
  }

  volumes(machineId: string): Promise<readonly string[]> {
    return this.inner.volumes(machineId);
  }

  onGuestMessage(listener: (message: GuestMessage) => void): () => void {
    return this.inner.onGuestMessage(listener);
  }

  destroy(machineId: string, options: CallOptions = {}): Promise<void> {
    return this.call('destroy', machineId, options, async () => {
      if (!this.defects.destroysNothing) await this.inner.destroy(machineId, options);
    });
  }

  onExit(listener: (exit: MachineExit) => void): () => void {
    return this.inner.onExit(listener);
  }

  private async call<T>(call: DriverCall, id: string, options: CallOptions, perform: () => Promise<T>): Promise<T> {
    await this.scheduler.turn(this.process, `driver.${call}`, id);
    const fault = this.faults.driver(call);
    if (fault) this.scheduler.note(this.process.name, `  fault: ${fault.kind} ${call}`, id);
    if (fault?.kind === 'error') throw new MachineError(fault.code, `${call} fails: ${fault.code}`);
    if (fault?.kind === 'hang') {
      await this.clock.sleep(HANG_MS[call], options.signal);
      throw new MachineError('failed', `${call} hung`);
    }
    const answer = await perform();
    if (call === 'list') return answer;
    await this.scheduler.turn(this.process, `driver.${call} answers`, id);
    if (this.faults.driverReplyLost(call)) {
      this.scheduler.note(this.process.name, `  fault: reply of ${call} lost`, id);
      throw new MachineError('failed', `${call}: the reply was lost`);
    }
    return answer;
  }
}
