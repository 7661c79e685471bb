import { mkdir } from 'node:fs/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import { delay } from '../delay.js';
import { type DisplaySize, displaySizeSchema, guestPaths } from '../guest-contract.js';
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
import { adoptMachines, removeMachine } from './adopt-machines.js';
import { machineSpecSchema } from './create-machine.js';
import { ExitAnnouncer } from './exit-announcer.js';
import { readExitReason } from './exit-reason.js';
import { GuestAgentRefusal } from './guest-agent.js';
import { GuestConversations } from './guest-conversations.js';
import { GuestMessagePorts } from './guest-message-ports.js';
import { readHostCapacity } from './host-capacity.js';
import { hostMaySwap } from './host-swap.js';
import { KeyedLock } from './keyed-lock.js';
import type { LiveMachine } from './live-machine.js';
import { MachineMaker } from './machine-maker.js';
import { MachineFolder } from './machine-record.js';
import { requireReachable } from './machine-user.js';
import { MachineVolumes } from './machine-volumes.js';
import { readMemoryUsage } from './memory-usage.js';
import { ProcessTable } from './process-identity.js';
import type { QemuDriverOptions } from './qemu-options.js';

/** A lost monitor tells of an end at once; this finds the ends that nothing told of. */
const WATCH_INTERVAL_MS = 1_000;
const READY_POLL_MS = 250;

/** Machines as QEMU processes of this host, one folder each: forked from a saved parent, or booted as linked clones. */
export class QemuDriver implements HypervisorDriver {
  readonly name = 'qemu';
  private readonly logger: Logger;
  private readonly machines = new Map<string, LiveMachine>();
  /** One change at a time to a machine. */
  private readonly changes = new KeyedLock();
  private readonly conversations = new GuestConversations();
  private readonly processes = new ProcessTable();
  private readonly exits: ExitAnnouncer;
  private readonly messages: GuestMessagePorts;
  private readonly machineVolumes: MachineVolumes;
  private readonly maker: MachineMaker;
  private mayBeSwapped = false;
  private watch: NodeJS.Timeout | undefined;

  constructor(private readonly options: QemuDriverOptions) {
    this.logger = options.logger.child({ driver: this.name });
    this.exits = new ExitAnnouncer(this.logger);
    this.messages = new GuestMessagePorts(this.logger);
    this.machineVolumes = new MachineVolumes(options.volumeReconnectDelayS ?? 120, this.logger);
    this.maker = new MachineMaker(
      options,
      this.processes,
      this.logger,
      () => new Set([...this.machines.values()].flatMap(({ record }) => record.fork?.parentKey ?? [])),
    );
  }

  async start(): Promise<void> {
    if (this.watch) return;
    const { machinesDir, machineUser } = this.options;
    await mkdir(machinesDir, { recursive: true, mode: 0o711 });
    await requireReachable(machineUser, machinesDir);
    const adopted = await adoptMachines(machinesDir, this.processes, this.logger);
    for (const machine of adopted) this.take(machine);
    await this.maker.start();
    for (const machine of adopted) if (machine.state === 'ended') await this.announceEnd(machine);
    this.mayBeSwapped = await hostMaySwap();
    if (this.mayBeSwapped) {
      this.logger.warn(
        'this host may swap: what desktops hold in memory may come to lie on its disk; ' +
          'turn swap off, or set MemorySwapMax=0 for the service (memory.swap.max of its control group)',
      );
    }
    this.watch = setInterval(() => void this.lookForEnds(), WATCH_INTERVAL_MS);
    this.watch.unref();
    this.logger.info(
      { machines: adopted.length, accelerator: this.maker.accelerator ?? 'to be probed' },
      'driver started',
    );
  }

  async stop(): Promise<void> {
    clearInterval(this.watch);
    this.watch = undefined;
    this.messages.forgetAll();
    await this.maker.stop();
    const held = [...this.machines.values()];
    this.machines.clear();
    await Promise.all(held.map((machine) => machine.release()));
  }

  /** Until the first machine is made, KVM that has not been probed counts as absent. */
  capabilities(): DriverCapabilities {
    return { accelerator: this.maker.accelerator ?? 'tcg', forks: this.maker.forks, mayBeSwapped: this.mayBeSwapped };
  }

  capacity(): Promise<HostCapacity> {
    return readHostCapacity(this.options.machinesDir);
  }

  async usage(): Promise<readonly MachineUsage[]> {
    const found: MachineUsage[] = [];
    // One after the other: the kernel walks each machine's memory, and nobody is in a hurry.
    for (const machine of [...this.machines.values()]) {
      if (machine.state === 'ended' || machine.isBeingDestroyed) continue;
      const memory = await readMemoryUsage(this.processes, machine.record.process);
      if (memory) found.push({ machineId: machine.id, ...memory });
    }
    return found;
  }

  async prepare(image: MachineImage, shape: MachineShape, options: CallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    if (!this.watch) throw new MachineError('failed', 'the driver has not been started');
    await this.maker.prepare(image, shape, options);
  }

  create(spec: MachineSpec, options: CallOptions = {}): Promise<Machine> {
    return this.changes.run(spec.id, async () => {
      options.signal?.throwIfAborted();
      const existing = this.machines.get(spec.id);
      if (existing) return existing.toMachine();
      if (!this.watch) throw new MachineError('failed', 'the driver has not been started');
      const checked = machineSpecSchema.safeParse(spec);
      if (!checked.success) throw new MachineError('failed', `not a machine: ${z.prettifyError(checked.error)}`);
      const machine = await this.maker.make(spec, options);
      this.take(machine);
      const { correlationId } = options;
      this.logger.info(
        {
          machineId: spec.id,
          correlationId,
          ...machine.record.start,
        },
        'machine started',
      );
      return machine.toMachine();
    });
  }

  async waitReady(machineId: string, timeoutMs: number, options: CallOptions = {}): Promise<Machine> {
    for (const deadline = Date.now() + timeoutMs; ; await delay(READY_POLL_MS, options.signal)) {
      const machine = this.running(machineId);
      const leftMs = deadline - Date.now();
      if (leftMs > 0 && (await this.conversations.looksReady(machine, leftMs, options.signal))) {
        return this.running(machineId).toMachine();
      }
      this.running(machineId);
      if (Date.now() >= deadline) {
        this.logger.warn(
          { machineId, correlationId: options.correlationId, timeoutMs },
          'machine did not become ready',
        );
        throw new MachineError('not-ready', `the desktop of machine ${machineId} was not drawn within ${timeoutMs} ms`);
      }
    }
  }

  async inspect(machineId: string): Promise<Machine | undefined> {
    return this.machines.get(machineId)?.toMachine();
  }

  async list(): Promise<readonly Machine[]> {
    return [...this.machines.values()].map((machine) => machine.toMachine());
  }

  async runInGuest(machineId: string, command: GuestCommand, options: CallOptions = {}): Promise<GuestResult> {
    const machine = this.running(machineId);
    try {
      return await this.conversations.talk(machine, command.timeoutMs, options.signal, (agent) => agent.run(command));
    } catch (cause) {
      if (!(cause instanceof GuestAgentRefusal)) throw cause;
      throw new MachineError('failed', `the guest refused to run ${command.path}: ${cause.message}`, { cause });
    }
  }

  async resizeDisplay(machineId: string, width: number, height: number, options: CallOptions = {}): Promise<void> {
    const size: DisplaySize = displaySizeSchema.parse({ width, height });
    const args = [`${size.width}`, `${size.height}`];
    const command = { path: guestPaths.setDisplaySize, args, timeoutMs: 10_000 };
    const { exitCode, stderr } = await this.runInGuest(machineId, command, options);
    if (exitCode !== 0) {
      throw new MachineError('failed', `the guest cannot draw at ${width}x${height}: ${stderr.trim().slice(0, 200)}`);
    }
  }

  async attachVolume(machineId: string, volume: MachineVolume, options: VolumeCallOptions = {}): Promise<void> {
    await this.machineVolumes.attach(this.running(machineId), volume, options);
  }

  async attachWritableVolume(
    machineId: string,
    volume: WritableMachineVolume,
    _options: VolumeCallOptions = {},
  ): Promise<void> {
    throw new MachineError('failed', `not made yet: ${machineId} ${volume.id}`);
  }

  async viewVolume(machineId: string, volumeId: string, _options: ViewVolumeOptions = {}): Promise<VolumeView> {
    throw new MachineError('failed', `not made yet: ${machineId} ${volumeId}`);
  }

  async closeView(
    machineId: string,
    volumeId: string,
    _viewId: string,
    _outcome: ViewOutcome,
    _options: VolumeCallOptions = {},
  ): Promise<void> {
    throw new MachineError('failed', `not made yet: ${machineId} ${volumeId}`);
  }

  async detachVolume(machineId: string, volumeId: string, options: VolumeCallOptions = {}): Promise<void> {
    const machine = this.machines.get(machineId);
    if (machine) await this.machineVolumes.detach(machine, volumeId, options);
  }

  async volumes(machineId: string): Promise<readonly string[]> {
    return this.machineVolumes.list(this.running(machineId));
  }

  onGuestMessage(listener: (message: GuestMessage) => void): () => void {
    return this.messages.subscribe(listener);
  }

  destroy(machineId: string, options: CallOptions = {}): Promise<void> {
    return this.changes.run(machineId, async () => {
      options.signal?.throwIfAborted();
      // Also keeps a strange id from naming a strange folder.
      if (!z.uuid().safeParse(machineId).success) return;
      const machine = this.machines.get(machineId);
      if (machine) machine.isBeingDestroyed = true;
      this.messages.forget(machineId);
      await machine?.release();
      await removeMachine(new MachineFolder(this.options.machinesDir, machineId), this.processes, machineId);
      this.machines.delete(machineId);
      if (machine) this.logger.info({ machineId, correlationId: options.correlationId }, 'machine destroyed');
    });
  }

  onExit(listener: (exit: MachineExit) => void): () => void {
    return this.exits.subscribe(listener);
  }

  /** @throws MachineError `not-found` */
  private running(machineId: string): LiveMachine {
    const machine = this.machines.get(machineId);
    if (machine?.state === 'running' && !machine.isBeingDestroyed) return machine;
    throw new MachineError('not-found', `machine ${machineId} ${machine ? 'has ended' : 'does not exist'}`);
  }

  private take(machine: LiveMachine): void {
    this.machines.set(machine.id, machine);
    if (machine.state === 'ended') return;
    this.messages.watch(machine.id, machine.folder.run('apps.sock'));
    machine
      .monitor()
      .then((qmp) => qmp.onClose(() => void this.lookForEnds()))
      .catch(() => undefined);
  }

  private async lookForEnds(): Promise<void> {
    for (const machine of this.machines.values()) {
      if (machine.state === 'ended' || machine.isBeingDestroyed) continue;
      try {
        if (!(await this.processes.isAlive(machine.record.process))) await this.announceEnd(machine);
      } catch (error) {
        this.logger.error({ err: error, machineId: machine.id }, 'cannot tell whether a machine lives');
      }
    }
  }

  private async announceEnd(machine: LiveMachine): Promise<void> {
    const reason = await readExitReason(machine.folder.run('events.out'));
    if (machine.isBeingDestroyed || this.announced.has(machine)) return;
    this.announced.add(machine);
    machine.state = 'ended';
    this.messages.forget(machine.id);
    await machine.release();
    this.logger.info({ machineId: machine.id, reason }, 'machine ended');
    this.exits.announce({ machineId: machine.id, reason });
  }

  /** Two looks may find the same end. */
  private readonly announced = new WeakSet<LiveMachine>();
}
