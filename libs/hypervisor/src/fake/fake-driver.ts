import { delay } from '../delay.js';
import { displaySizeSchema } from '../guest-contract.js';
import type { DriverCapabilities, HostCapacity } from '../host.js';
import type { CallOptions, GuestCommand, GuestResult, HypervisorDriver } from '../hypervisor-driver.js';
import type { Machine, MachineExit, MachineImage, MachineShape, MachineSpec } from '../machine.js';
import { MachineError } from '../machine-error.js';
import { type FakeCall, FakeHost, type FakeMachine } from './fake-host.js';

const POLL_MS = 5;

/** The driver port over a host in memory, for tests of everything above it. */
export class FakeDriver implements HypervisorDriver {
  readonly name = 'fake';
  private readonly listeners = new Set<(exit: MachineExit) => void>();
  private readonly creating = new Map<string, Promise<void>>();
  private started = false;

  constructor(readonly host: FakeHost = new FakeHost()) {}

  async start(): Promise<void> {
    if (this.started) return;
    this.started = true;
    this.host.ends.on('end', this.onEnd);
    this.tellOfTheDead();
  }

  async stop(): Promise<void> {
    this.started = false;
    this.host.ends.off('end', this.onEnd);
  }

  capabilities(): DriverCapabilities {
    return { accelerator: 'none', forks: false };
  }

  async capacity(): Promise<HostCapacity> {
    return this.host.capacity;
  }

  async prepare(image: MachineImage, shape: MachineShape, options: CallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    await this.trouble('prepare', options, 60_000, 'failed');
    this.host.prepared.push({ imageDigest: image.digest, ...shape });
  }

  async create(spec: MachineSpec, options: CallOptions = {}): Promise<Machine> {
    options.signal?.throwIfAborted();
    for (let other = this.creating.get(spec.id); other; other = this.creating.get(spec.id)) {
      await other.catch(() => undefined);
    }
    const existing = this.host.machines.get(spec.id);
    if (existing) return toMachine(existing);
    const making = this.make(spec, options);
    this.creating.set(spec.id, making);
    try {
      await making;
    } finally {
      this.creating.delete(spec.id);
    }
    return toMachine(this.running(spec.id));
  }

  async waitReady(machineId: string, timeoutMs: number, options: CallOptions = {}): Promise<Machine> {
    const deadline = Date.now() + timeoutMs;
    this.running(machineId);
    await this.trouble('waitReady', options, timeoutMs, 'not-ready');
    for (;;) {
      options.signal?.throwIfAborted();
      const machine = this.running(machineId);
      if (Date.now() >= machine.readyAt) return toMachine(machine);
      if (Date.now() >= deadline) throw new MachineError('not-ready', `not ready within ${timeoutMs} ms`);
      await delay(POLL_MS, options.signal);
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
    return this.host.guestProgram(machineId, command);
  }

  async resizeDisplay(machineId: string, width: number, height: number, options: CallOptions = {}): Promise<void> {
    const machine = this.running(machineId);
    await this.trouble('resizeDisplay', options, 10_000, 'guest-unresponsive');
    machine.size = displaySizeSchema.parse({ width, height });
  }

  async destroy(machineId: string, options: CallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    await this.trouble('destroy', options, 10_000, 'failed');
    await this.creating.get(machineId)?.catch(() => undefined);
    this.host.machines.delete(machineId);
  }

  onExit(listener: (exit: MachineExit) => void): () => void {
    this.listeners.add(listener);
    if (this.started) this.tellOfTheDead();
    return () => void this.listeners.delete(listener);
  }

  private async make(spec: MachineSpec, options: CallOptions): Promise<void> {
    await this.trouble('create', options, 60_000, 'failed');
    this.host.machines.set(spec.id, {
      spec,
      startedAt: new Date(),
      readyAt: Date.now() + this.host.bootTimeMs,
      display: { protocol: 'vnc', host: '127.0.0.1', port: this.host.takePort(), password: 'fakefake' },
      state: 'running',
      size: { width: 1024, height: 768 },
    });
  }

  /** Fails or hangs when the test asked for it. */
  private async trouble(
    call: FakeCall,
    options: CallOptions,
    timeoutMs: number,
    onTimeout: MachineError['code'],
  ): Promise<void> {
    const code = this.host.takeFailure(call);
    if (code) throw new MachineError(code, `${call} was told to fail`);
    if (!this.host.takeHang(call)) return;
    await delay(timeoutMs, options.signal);
    throw new MachineError(onTimeout, `${call} was told to hang`);
  }

  private running(machineId: string): FakeMachine {
    const machine = this.host.machines.get(machineId);
    if (machine?.state === 'running') return machine;
    throw new MachineError('not-found', `machine ${machineId} does not exist or has ended`);
  }

  private tellOfTheDead(): void {
    for (const [machineId, machine] of this.host.machines) {
      if (machine.exitReason) this.onEnd({ machineId, reason: machine.exitReason });
    }
  }

  private readonly toldHere = new Set<string>();

  private readonly onEnd = (exit: MachineExit): void => {
    if (this.listeners.size === 0 || this.toldHere.has(exit.machineId)) return;
    this.toldHere.add(exit.machineId);
    queueMicrotask(() => {
      for (const listener of this.listeners) listener(exit);
    });
  };
}

function toMachine(machine: FakeMachine): Machine {
  const { spec, state, startedAt, display } = machine;
  const base = { id: spec.id, state, imageDigest: spec.image.digest, startedAt };
  return state === 'running' ? { ...base, display } : base;
}
