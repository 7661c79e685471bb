import { mkdir } from 'node:fs/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import { KeyedLock } from '#libs/kernel';
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
import { EndWatch } from './end-watch.js';
import { ExitAnnouncer } from './exit-announcer.js';
import { fileSystemUsageOf } from './file-system-usage.js';
import { GuestAgentRefusal } from './guest-agent.js';
import { GuestConversations } from './guest-conversations.js';
import { GuestFreezer } from './guest-freezer.js';
import { GuestMessagePorts } from './guest-message-ports.js';
import { readHostCapacity } from './host-capacity.js';
import { hostMaySwap } from './host-swap.js';
import type { LiveMachine } from './live-machine.js';
import { MachineMaker } from './machine-maker.js';
import { MachineFolder } from './machine-record.js';
import { requireReachable } from './machine-user.js';
import { MachineVolumes } from './machine-volumes.js';
import { readMemoryUsage } from './memory-usage.js';
import { ProcessTable } from './process-identity.js';
import type { QemuDriverOptions } from './qemu-options.js';

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
  private readonly freezer: GuestFreezer;
  private readonly ends: EndWatch;
  private mayBeSwapped = false;

  constructor(private readonly options: QemuDriverOptions) {
    this.logger = options.logger.child({ driver: this.name });
    this.exits = new ExitAnnouncer(this.logger);
    this.messages = new GuestMessagePorts(this.logger);
    this.maker = new MachineMaker(
      options,
      this.processes,
      this.logger,
      () => new Set([...this.machines.values()].flatMap(({ record }) => record.fork?.parentKey ?? [])),
    );
    this.freezer = new GuestFreezer(this.conversations, this.logger);
    this.machineVolumes = new MachineVolumes({
      reconnectDelayS: options.volumeReconnectDelayS ?? 120,
      leaves: this.maker.leaves,
      freezer: this.freezer,
      openNbdView: options.openNbdView,
      logger: this.logger,
    });
    this.ends = new EndWatch({
      machines: () => this.machines.values(),
      processes: this.processes,
      exits: this.exits,
      logger: this.logger,
      onEnd: ({ id }) => this.messages.forget(id),
    });
  }

  async start(): Promise<void> {
    if (this.ends.isRunning) return;
    const { machinesDir, machineUser } = this.options;
    await mkdir(machinesDir, { recursive: true, mode: 0o711 });
    await requireReachable(machineUser, machinesDir);
    const adopted = await adoptMachines(machinesDir, this.processes, this.logger);
    for (const machine of adopted) this.take(machine);
    await this.maker.start();
    for (const machine of adopted) if (machine.state === 'ended') await this.ends.announce(machine);
    this.mayBeSwapped = await hostMaySwap();
    if (this.mayBeSwapped) {
      this.logger.warn(
        'this host may swap: what desktops hold in memory may come to lie on its disk; ' +
          'turn swap off, or set MemorySwapMax=0 for the service (memory.swap.max of its control group)',
      );
    }
    this.ends.start();
    // Not waited for: it may take as long as the server of a volume is away.
    for (const machine of adopted) if (machine.hasWritableVolume) void this.tidyAfterAnother(machine);
    this.logger.info(
      { machines: adopted.length, accelerator: this.maker.accelerator ?? 'to be probed' },
      'driver started',
    );
  }

  async stop(): Promise<void> {
    this.ends.stop();
    this.freezer.stop();
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
    if (!this.ends.isRunning) throw new MachineError('failed', 'the driver has not been started');
    await this.maker.prepare(image, shape, options);
  }

  create(spec: MachineSpec, options: CallOptions = {}): Promise<Machine> {
    return this.changes.run(spec.id, async () => {
      options.signal?.throwIfAborted();
      const existing = this.machines.get(spec.id);
      if (existing) return existing.toMachine();
      if (!this.ends.isRunning) throw new MachineError('failed', 'the driver has not been started');
      const checked = machineSpecSchema.safeParse(spec);
      if (!checked.success) throw new MachineError('failed', `not a machine: ${z.prettifyError(checked.error)}`);
      const machine = await this.maker.make(spec, options);
      this.take(machine);
      const { correlationId } = options;
      this.logger.info({ machineId: spec.id, correlationId, ...machine.record.start }, 'machine started');
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

  async fileSystemUsage(machineId: string, mountPoint: string, timeoutMs: number, options: CallOptions = {}) {
    return this.conversations.talk(this.running(machineId), timeoutMs, options.signal, fileSystemUsageOf(mountPoint));
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
    options: VolumeCallOptions = {},
  ): Promise<void> {
    await this.machineVolumes.attachWritable(this.running(machineId), volume, options);
  }

  async viewVolume(machineId: string, volumeId: string, options: ViewVolumeOptions = {}): Promise<VolumeView> {
    return this.machineVolumes.view(this.alive(machineId), volumeId, options);
  }

  async closeView(
    machineId: string,
    volumeId: string,
    viewId: string,
    outcome: ViewOutcome,
    options: VolumeCallOptions = {},
  ): Promise<void> {
    const machine = this.machines.get(machineId);
    if (machine) await this.machineVolumes.closeView(machine, volumeId, viewId, outcome, options);
  }

  async detachVolume(machineId: string, volumeId: string, options: VolumeCallOptions = {}): Promise<void> {
    const machine = this.machines.get(machineId);
    if (machine) await this.machineVolumes.detach(machine, volumeId, options);
  }

  async volumes(machineId: string): Promise<readonly string[]> {
    return this.machineVolumes.list(this.alive(machineId));
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

  /** The same, or one that is kept for what its guest wrote. @throws MachineError `not-found` */
  private alive(machineId: string): LiveMachine {
    const machine = this.machines.get(machineId);
    return machine?.isKept ? machine : this.running(machineId);
  }

  private take(machine: LiveMachine): void {
    this.machines.set(machine.id, machine);
    if (machine.state === 'ended') return;
    this.messages.watch(machine.id, machine.folder.run('apps.sock'));
    this.ends.watch(machine);
  }

  /** A process that died may have left its machine with a view open, or its guest frozen. */
  private async tidyAfterAnother(machine: LiveMachine): Promise<void> {
    if (machine.state === 'running') this.freezer.thawSoon(machine);
    await this.machineVolumes.dropViews(machine).catch((err: unknown) => {
      this.logger.warn({ err, machineId: machine.id }, 'what an earlier process left of a view is still there');
    });
  }
}
