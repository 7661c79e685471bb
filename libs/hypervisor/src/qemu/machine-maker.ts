import type { Logger } from 'pino';
import { KeyedLock } from '#libs/kernel';
import type { CallOptions } from '../hypervisor-driver.js';
import type { MachineImage, MachineShape, MachineSpec } from '../machine.js';
import { MachineError } from '../machine-error.js';
import { AcceleratorProbe } from './accelerator-probe.js';
import { createMachine } from './create-machine.js';
import { LeafMaker } from './leaf.js';
import type { LiveMachine } from './live-machine.js';
import type { MachineMaking } from './machine-making.js';
import { ParentStore } from './parent-store.js';
import type { ProcessTable } from './process-identity.js';
import type { Accelerator } from './qemu-arguments.js';
import type { QemuDriverOptions } from './qemu-options.js';

/** Makes machines in the best way that this host and their image allow. */
export class MachineMaker {
  private readonly probe: AcceleratorProbe;
  private readonly probing = new KeyedLock();
  readonly leaves: LeafMaker;
  private readonly parents: ParentStore | undefined;
  private chosen: Accelerator | undefined;

  constructor(
    private readonly options: QemuDriverOptions,
    private readonly processes: ProcessTable,
    private readonly logger: Logger,
    private readonly parentsInUse: () => ReadonlySet<string>,
  ) {
    this.probe = new AcceleratorProbe({
      stateDir: options.machinesDir,
      user: options.machineUser,
      processes,
      qemuCommand: this.qemuCommand,
    });
    this.leaves = new LeafMaker(options.machinesDir, options.machineUser);
    this.parents = options.parentsDir === undefined ? undefined : this.makeParentStore(options.parentsDir);
  }

  /** Undefined until it is known without a probe, or probed for the first machine. */
  get accelerator(): Accelerator | undefined {
    return this.chosen;
  }

  get forks(): boolean {
    return this.parents !== undefined;
  }

  /** After the machines that live are known. */
  async start(): Promise<void> {
    const { accelerator = 'auto' } = this.options;
    this.chosen = accelerator === 'auto' ? await this.probe.known() : accelerator;
    await this.leaves.sweep();
    await this.parents?.start({ processes: this.processes, qemuCommand: this.qemuCommand });
  }

  async stop(): Promise<void> {
    await this.parents?.stop();
  }

  /** Makes the parent of such machines, if there is none. @throws MachineError */
  async prepare(image: MachineImage, shape: MachineShape, options: CallOptions): Promise<void> {
    const making = await this.making(image);
    await this.parents?.get(making, { image, shape, accelerator: making.accelerator }, options.signal);
  }

  /** Forks the machine where that is possible, else boots it. @throws MachineError, as `create` of the port */
  async make(spec: MachineSpec, options: CallOptions): Promise<LiveMachine> {
    const orderedAt = performance.now();
    const { signal, correlationId } = options;
    const { image, vcpus, memoryMiB } = spec;
    const making = await this.making(image);
    const { accelerator } = making;
    const parent = await this.parents
      ?.get(making, { image, shape: { vcpus, memoryMiB }, accelerator }, signal)
      .catch(() => {
        // Said by the store when it happened; what is wrong with the image or the host, booting says again.
        signal?.throwIfAborted();
        return undefined;
      });
    if (parent) {
      try {
        return await createMachine(making, spec, { orderedAt, parent, signal });
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof MachineError) || error.code !== 'failed') throw error;
        this.parents?.distrust(parent.key);
        this.logger.error({ err: error, machineId: spec.id, correlationId }, 'a machine could not be forked; it boots');
      }
    }
    return createMachine(making, spec, { orderedAt, signal });
  }

  private makeParentStore(parentsDir: string): ParentStore {
    const { parentBootTimeoutMs, parentRetryMs, keepUnusedParentsMs } = this.options;
    return new ParentStore({
      parentsDir,
      logger: this.logger,
      bootTimeoutMs: parentBootTimeoutMs ?? 240_000,
      retryMs: parentRetryMs ?? 120_000,
      keepUnusedMs: keepUnusedParentsMs ?? 24 * 3_600_000,
      inUse: this.parentsInUse,
    });
  }

  private async making(image: MachineImage): Promise<MachineMaking> {
    return {
      machinesDir: this.options.machinesDir,
      processes: this.processes,
      user: this.options.machineUser,
      qemuCommand: this.qemuCommand,
      displayPorts: this.options.displayPorts ?? { first: 15_900, last: 17_899 },
      minFreeDiskMiB: this.options.minFreeDiskMiB ?? 1024,
      accelerator: await this.chooseAccelerator(image),
      leaves: this.leaves,
      encryptLeaves: this.options.encryptLeaves ?? true,
    };
  }

  private async chooseAccelerator(image: MachineImage): Promise<Accelerator> {
    if (this.chosen) return this.chosen;
    return this.probing.run('accelerator', async () => {
      if (!this.chosen) {
        this.chosen = await this.probe.probe(image);
        this.logger.info({ accelerator: this.chosen }, 'probed for hardware virtualisation');
      }
      return this.chosen;
    });
  }

  private get qemuCommand(): string {
    return this.options.qemuCommand ?? 'qemu-system-x86_64';
  }
}
