import { displaySizeSchema } from '../guest-contract.js';
import type { DriverCapabilities, HostCapacity } from '../host.js';
import type {
  CallOptions,
  GuestCommand,
  GuestResult,
  HypervisorDriver,
  ViewOutcome,
  ViewVolumeOptions,
  VolumeCallOptions,
} from '../hypervisor-driver.js';
import type { Machine, MachineExit, MachineImage, MachineShape, MachineSpec, MachineUsage } from '../machine.js';
import { MachineError } from '../machine-error.js';
import type { GuestMessage, MachineVolume, WritableMachineVolume } from '../machine-volume.js';
import type { VolumeView } from '../volume-view.js';
import { fakeFileSystemUsage, newFakeGuestProfile } from './fake-guest-profile.js';
import { type FakeCall, FakeHost, type FakeMachine, toMachine } from './fake-host.js';
import { FakeVolumes } from './fake-volumes.js';

/** The driver port over a host in memory, for tests of everything above it. */
export class FakeDriver implements HypervisorDriver {
  readonly name = 'fake';
  private readonly listeners = new Set<(exit: MachineExit) => void>();
  private readonly messageListeners = new Set<(message: GuestMessage) => void>();
  /** One change at a time to a machine. */
  private readonly changes = new Map<string, Promise<unknown>>();
  private readonly volumesOfMachines: FakeVolumes;
  private started = false;
  private crashed = false;

  constructor(readonly host: FakeHost = new FakeHost()) {
    this.volumesOfMachines = new FakeVolumes(host, {
      running: (machineId) => this.running(machineId),
      trouble: (...call) => this.trouble(...call),
      pause: (ms, signal) => this.pause(ms, signal),
    });
  }

  async start(): Promise<void> {
    if (this.started) return;
    this.started = true;
    this.host.sweep();
    this.host.ends.on('end', this.onEnd);
    this.host.messages.on('message', this.onMessage);
    this.tellOfTheDead();
  }

  async stop(): Promise<void> {
    this.started = false;
    this.host.ends.off('end', this.onEnd);
    this.host.messages.off('message', this.onMessage);
  }

  /**
   * What killing the process would do: calls that wait never end, exits are not told, and what was half-made or
   * half-destroyed stays so on the host until another driver starts over it.
   */
  crash(): void {
    this.crashed = true;
    this.listeners.clear();
    this.messageListeners.clear();
    void this.stop();
  }

  capabilities(): DriverCapabilities {
    return { accelerator: 'none', forks: this.host.forks, mayBeSwapped: false };
  }

  async capacity(): Promise<HostCapacity> {
    return this.host.capacity;
  }

  async usage(): Promise<readonly MachineUsage[]> {
    return [...this.host.machines.values()]
      .filter(({ state, isBeingDestroyed }) => state === 'running' && !isBeingDestroyed)
      .map((machine) => ({ machineId: machine.spec.id, ...this.host.memoryOf(machine) }));
  }

  async prepare(image: MachineImage, shape: MachineShape, options: CallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    await this.trouble('prepare', options, 60_000, 'failed');
    this.host.prepared.push({ imageDigest: image.digest, ...shape });
  }

  create(spec: MachineSpec, options: CallOptions = {}): Promise<Machine> {
    return this.change(spec.id, async () => {
      options.signal?.throwIfAborted();
      const existing = this.host.machines.get(spec.id);
      return toMachine(existing ?? (await this.make(spec, options)));
    });
  }

  async waitReady(machineId: string, timeoutMs: number, options: CallOptions = {}): Promise<Machine> {
    const deadline = this.nowMs() + timeoutMs;
    this.running(machineId);
    await this.trouble('waitReady', options, timeoutMs, 'not-ready');
    for (;;) {
      options.signal?.throwIfAborted();
      const machine = this.running(machineId);
      if (this.nowMs() >= machine.readyAt) return toMachine(machine);
      if (this.nowMs() >= deadline) throw new MachineError('not-ready', `not ready within ${timeoutMs} ms`);
      const gone = machine.gone.signal;
      const wake = options.signal ? AbortSignal.any([gone, options.signal]) : gone;
      // Woken early it looks again, and finds why.
      await this.pause(Math.min(machine.readyAt, deadline) - this.nowMs(), wake).catch(() => undefined);
    }
  }

  async inspect(machineId: string): Promise<Machine | undefined> {
    const machine = this.host.machines.get(machineId);
    return machine && toMachine(machine);
  }

  async list(): Promise<readonly Machine[]> {
    return [...this.host.machines.values()].map(toMachine);
  }

  async runInGuest(machineId: string, command: GuestCommand, options: CallOptions = {}): Promise<GuestResult> {
    this.running(machineId);
    await this.trouble('runInGuest', options, command.timeoutMs, 'guest-unresponsive');
    await this.pause(this.host.guestTimeMs, options.signal);
    this.running(machineId);
    return this.host.guestProgram(machineId, command);
  }

  async fileSystemUsage(machineId: string, mountPoint: string, timeoutMs: number, options: CallOptions = {}) {
    await this.trouble('fileSystemUsage', options, timeoutMs, 'guest-unresponsive');
    return fakeFileSystemUsage(this.running(machineId).profile, mountPoint);
  }

  async resizeDisplay(machineId: string, width: number, height: number, options: CallOptions = {}): Promise<void> {
    const machine = this.running(machineId);
    await this.trouble('resizeDisplay', options, 10_000, 'guest-unresponsive');
    machine.size = displaySizeSchema.parse({ width, height });
  }

  attachVolume(machineId: string, volume: MachineVolume, options: VolumeCallOptions = {}): Promise<void> {
    return this.volumesOfMachines.attach(machineId, volume, options);
  }

  attachWritableVolume(
    machineId: string,
    volume: WritableMachineVolume,
    options: VolumeCallOptions = {},
  ): Promise<void> {
    return this.volumesOfMachines.attachWritable(machineId, volume, options);
  }

  viewVolume(machineId: string, volumeId: string, options: ViewVolumeOptions = {}): Promise<VolumeView> {
    return this.volumesOfMachines.view(machineId, volumeId, options);
  }

  closeView(
    machineId: string,
    volumeId: string,
    viewId: string,
    outcome: ViewOutcome,
    options: VolumeCallOptions = {},
  ): Promise<void> {
    return this.volumesOfMachines.closeView(machineId, volumeId, viewId, outcome, options);
  }

  detachVolume(machineId: string, volumeId: string, options: VolumeCallOptions = {}): Promise<void> {
    return this.volumesOfMachines.detach(machineId, volumeId, options);
  }

  volumes(machineId: string): Promise<readonly string[]> {
    return this.volumesOfMachines.list(machineId);
  }

  onGuestMessage(listener: (message: GuestMessage) => void): () => void {
    this.messageListeners.add(listener);
    return () => void this.messageListeners.delete(listener);
  }

  async destroy(machineId: string, options: CallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    await this.trouble('destroy', options, 10_000, 'failed');
    await this.change(machineId, async () => {
      const machine = this.host.machines.get(machineId);
      if (!machine) return;
      machine.isBeingDestroyed = true;
      machine.gone.abort();
      await this.pause(this.host.destroyTimeMs);
      this.host.removeMachine(machineId);
    });
  }

  onExit(listener: (exit: MachineExit) => void): () => void {
    this.listeners.add(listener);
    if (this.started) this.tellOfTheDead();
    return () => void this.listeners.delete(listener);
  }

  /** Begins at once when nothing else is at the machine: faults that a test ordered meet calls in their order. */
  private async change<T>(machineId: string, operation: () => Promise<T>): Promise<T> {
    for (let other = this.changes.get(machineId); other; other = this.changes.get(machineId)) {
      await other.catch(() => undefined);
    }
    const result = operation();
    this.changes.set(machineId, result);
    try {
      return await result;
    } finally {
      this.changes.delete(machineId);
    }
  }

  private async make(spec: MachineSpec, options: CallOptions): Promise<FakeMachine> {
    const orderedAt = this.nowMs();
    await this.trouble('create', options, 60_000, 'failed');
    const { availableMemoryMiB } = this.host.capacity;
    if (availableMemoryMiB < spec.memoryMiB) {
      throw new MachineError('no-memory', `${spec.memoryMiB} MiB are needed; ${availableMemoryMiB} are available`);
    }
    this.host.halfMade.set(spec.id, spec);
    try {
      await this.pause(this.host.createTimeMs, options.signal);
    } finally {
      this.host.halfMade.delete(spec.id);
    }
    const now = this.nowMs();
    const machine: FakeMachine = {
      spec,
      startedAt: new Date(now),
      start: { method: this.host.forks ? 'fork' : 'boot', durationMs: Math.max(0, now - orderedAt) },
      readyAt: now + this.host.bootTimeMs,
      display: { protocol: 'vnc', host: '127.0.0.1', port: this.host.takePort(), password: 'fakefake' },
      state: 'running',
      size: { width: 1024, height: 768 },
      gone: new AbortController(),
      volumes: new Map(),
      writable: new Map(),
      apps: { merged: new Map(), onDemand: new Set(), started: [] },
      profile: newFakeGuestProfile(),
    };
    this.host.machines.set(spec.id, machine);
    return machine;
  }

  /** Fails or hangs when the test asked for it. */
  private async trouble(
    call: FakeCall,
    options: CallOptions,
    timeoutMs: number,
    onTimeout: MachineError['code'],
  ): Promise<void> {
    if (this.crashed) await new Promise<never>(() => undefined);
    const code = this.host.takeFailure(call);
    if (code) throw new MachineError(code, `${call} was told to fail`);
    if (!this.host.takeHang(call)) return;
    await this.pause(timeoutMs, options.signal);
    throw new MachineError(onTimeout, `${call} was told to hang`);
  }

  /** Lets time pass by the host's clock, for ever if this driver crashes meanwhile. */
  private async pause(ms: number, signal?: AbortSignal): Promise<void> {
    try {
      if (ms > 0) await this.host.clock.sleep(ms, signal);
    } finally {
      if (this.crashed) await new Promise<never>(() => undefined);
    }
  }

  private nowMs(): number {
    return this.host.clock.now().getTime();
  }

  private running(machineId: string): FakeMachine {
    const machine = this.host.machines.get(machineId);
    if (machine?.state === 'running' && !machine.isBeingDestroyed) return machine;
    throw new MachineError('not-found', `machine ${machineId} does not exist or has ended`);
  }

  private tellOfTheDead(): void {
    for (const [machineId, machine] of this.host.machines) {
      if (machine.exitReason) this.onEnd({ machineId, reason: machine.exitReason });
    }
  }

  private readonly onMessage = (message: GuestMessage): void => {
    for (const listener of this.messageListeners) listener(message);
  };

  private readonly toldHere = new Set<string>();

  private readonly onEnd = (exit: MachineExit): void => {
    if (this.listeners.size === 0 || this.toldHere.has(exit.machineId)) return;
    this.toldHere.add(exit.machineId);
    queueMicrotask(() => {
      for (const listener of this.listeners) listener(exit);
    });
  };
}
