import { DEFAULT_RETENTION } from '#libs/contracts';
import type { HostRegistry } from '#libs/desktops';
import { FakeDriver } from '#libs/hypervisor';
import { type JobContext, type JobName, type JobPayload, jobDefinitions, queueName } from '#libs/jobs';
import type { ConnectionService } from '#libs/sessions';
import {
  DestroyDesktopHandler,
  HostReconciler,
  type ImageLocator,
  MachineReconciler,
  MachinesInTheMaking,
  MachineWatch,
  PoolReconciler,
  ProvisionDesktopHandler,
  QuarantineReconciler,
  ReconcilePoolHandler,
  ReconcilerLoop,
  SessionReconciler,
  StuckDesktopReconciler,
} from '#services/provisioner';
import type { Faults } from '../faults/faults.js';
import type { JobQueues } from '../redis/job-queues.js';
import { buildDomain, logger, metrics, type Surroundings } from './domain.js';
import { type DriverDefects, FaultyDriver } from './faulty-driver.js';
import { standIn } from './stand-in.js';
import type { WatchedHost } from './watched-host.js';

export interface ProvisionerOptions {
  readonly host: WatchedHost;
  readonly faults: Faults;
  readonly queues: JobQueues;
  readonly reconcileIntervalMs: number;
  readonly defects: DriverDefects;
}

/** One life of the provisioner of a host: the real handlers, watch and reconcilers, put together as `Provisioner` does. */
export class ProvisionerProcess {
  private readonly loop: ReconcilerLoop;
  private readonly watch: MachineWatch;
  private readonly driver: FaultyDriver;
  private readonly host: HostReconciler;
  private readonly handlers: {
    readonly [Name in JobName]?: (payload: JobPayload<Name>, context: JobContext) => Promise<void>;
  };

  constructor(
    private readonly around: Surroundings,
    private readonly options: ProvisionerOptions,
  ) {
    const { store, clock, jobs, process, scheduler, fleet } = around;
    const { allocator, expiry, lifecycle, pools, replacement } = buildDomain(around);
    const inner = new FakeDriver(options.host);
    process.onEnd(() => inner.crash());
    const driver = new FaultyDriver(inner, process, scheduler, clock, options.faults, options.defects);
    this.driver = driver;
    const provisionerOptions = {
      hostName: options.host.name,
      imagesDir: '/images',
      imageCopiesDir: '/image-copies',
      scratchDir: '/scratch',
      profileRetention: DEFAULT_RETENTION,
      reconcileIntervalMs: options.reconcileIntervalMs,
    };
    const registry = standIn<HostRegistry>({
      report: async ({ memoryMiB, availableMemoryMiB, availableDiskMiB, ...report }) => {
        await scheduler.turn(process, 'report host');
        const sizes = {
          memoryMib: memoryMiB,
          availableMemoryMib: availableMemoryMiB,
          availableDiskMib: availableDiskMiB,
        };
        fleet.reportHost({ ...report, ...sizes, lastSeenAt: fleet.clock.now() });
      },
    });
    const images = standIn<ImageLocator>({ locate: async (id) => ({ ...anImage, digest: id }) });
    const making = new MachinesInTheMaking(clock);
    this.host = new HostReconciler(registry, driver, provisionerOptions);
    this.watch = new MachineWatch(driver, store, replacement, logger);
    const provision = new ProvisionDesktopHandler(
      store,
      lifecycle,
      images,
      this.host,
      making,
      allocator,
      driver,
      logger,
      clock,
      metrics,
    );
    // Nobody has an application or a profile here.
    const apps = { abandon: () => undefined, release: async () => undefined };
    const profiles = { close: async () => undefined };
    const destroy = new DestroyDesktopHandler(store, lifecycle, this.host, making, apps, profiles, driver);
    const reconcile = new ReconcilePoolHandler(pools, allocator);
    this.handlers = {
      'desktop.provision': (payload, context) => provision.handle(payload, context),
      'desktop.destroy': (payload, context) => destroy.handle(payload, context),
      'pool.reconcile': (payload) => reconcile.handle(payload),
    };
    const connections = standIn<ConnectionService>({ closeSilent: async () => 0 });
    const reconcilers = {
      host: this.host,
      machine: new MachineReconciler(store, replacement, driver, provisionerOptions, logger),
      stuckDesktop: new StuckDesktopReconciler(store, lifecycle, jobs, provisionerOptions),
      quarantine: new QuarantineReconciler(store, jobs, provisionerOptions, clock),
      session: new SessionReconciler(connections, expiry),
      pool: new PoolReconciler(store, pools, allocator),
    };
    this.loop = new ReconcilerLoop(reconcilers, options.reconcileIntervalMs, logger);
  }

  /** As `Provisioner.onApplicationBootstrap`. Rejects when the process could not start and must be started again. */
  async start(): Promise<void> {
    this.watch.start();
    await this.driver.start();
    await this.host.run();
    this.work();
    await this.loop.runOnce();
    void this.keepRunning();
  }

  /** For the defect `listsEarlier`. */
  lookAhead(): Promise<void> {
    return this.driver.lookAhead();
  }

  private async keepRunning(): Promise<never> {
    const { scheduler, process } = this.around;
    for (;;) {
      await scheduler.sleep(process, this.options.reconcileIntervalMs, 'reconcilers');
      await this.loop.runOnce();
    }
  }

  private work(): void {
    for (const [name, handler] of Object.entries(this.handlers) as [JobName, (typeof this.handlers)[JobName]][]) {
      const { scope, concurrency } = jobDefinitions[name];
      const queue = queueName(name, scope === 'host' ? this.options.host.name : undefined);
      const perform = handler as (payload: unknown, context: JobContext) => Promise<void>;
      this.options.queues.work(this.around.process, queue, concurrency, (payload, { number, isLast }) =>
        perform(payload, { correlationId: 'simulated', attempt: number, isLastAttempt: isLast }),
      );
    }
  }
}

const anImage = {
  rootDiskPath: '/images/root',
  rootDiskFormat: 'raw',
  kernelPath: '/images/kernel',
  initrdPath: '/images/initrd',
  kernelArguments: '',
} as const;
