import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { DesktopLifecycle } from '#libs/desktops';
import { type Desktop, FleetStore, type Pool } from '#libs/fleet';
import type { CallOptions, HypervisorDriver } from '#libs/hypervisor';
import type { JobContext, JobPayload } from '#libs/jobs';
import { batchedLookup, type Clock } from '#libs/kernel';
import { SessionAllocator } from '#libs/sessions';
import { CLOCK, LOGGER, Metrics } from '#libs/telemetry';
import { ImageLocator } from '../image-locator.js';
import { MachinesInTheMaking } from '../machines-in-the-making.js';
import { DRIVER } from '../provisioner-options.js';
import { HostReconciler } from '../reconcilers/host.reconciler.js';

/** Makes the machine of a desktop; when it is ready the desktop is available, and goes to whoever waits longest. */
@Injectable()
export class ProvisionDesktopHandler {
  private readonly orders = batchedLookup(
    (ids: readonly string[]) => this.store.provisioningOrders(ids),
    ({ desktop }) => desktop.id,
  );

  private readonly readySeconds;
  private readonly startSeconds;

  constructor(
    private readonly store: FleetStore,
    private readonly lifecycle: DesktopLifecycle,
    private readonly images: ImageLocator,
    private readonly host: HostReconciler,
    private readonly making: MachinesInTheMaking,
    private readonly allocator: SessionAllocator,
    @Inject(DRIVER) private readonly driver: HypervisorDriver,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(CLOCK) private readonly clock: Clock,
    metrics: Metrics,
  ) {
    this.readySeconds = metrics.histogram({
      name: 'goldleaf_machine_ready_seconds',
      help: 'From the order of a machine to its waiting screen',
      labelNames: ['pool'],
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 240],
    });
    this.startSeconds = metrics.histogram({
      name: 'goldleaf_machine_start_seconds',
      help: 'From the order of a machine until its guest runs, by how it was started (fork, boot)',
      labelNames: ['pool', 'method'],
      buckets: [0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80],
    });
  }

  async handle({ desktopId }: JobPayload<'desktop.provision'>, context: JobContext): Promise<void> {
    const order = await this.orders.add(desktopId);
    // A repeated or late job: the desktop is further on already.
    if (!order) return;
    const { desktop, pool } = order;
    const startedAt = this.clock.now().getTime();
    try {
      const remainingMs = Math.max(1_000, order.remainingMs);
      const { display, start } = await this.making.during(desktop.id, remainingMs, async (signal, wasMade) => {
        const options = { signal, correlationId: context.correlationId };
        if (!wasMade) await this.create(desktop, pool, options);
        return this.driver.waitReady(desktop.id, remainingMs, options);
      });
      if (!display) throw new Error('the machine is ready but has no display');
      await this.host.machinesChanged();
      const became = await this.lifecycle.becomeAvailable(desktop, display, start);
      if (!became) return;
      if (start) this.startSeconds.observe({ pool: pool.name, method: start.method }, start.durationMs / 1_000);
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      this.logger.error({ err: error, pool: pool.name, desktopId }, 'a desktop could not be provisioned');
      await this.lifecycle.failProvisioning(desktop, cause);
      return;
    }
    this.readySeconds.observe({ pool: pool.name }, Math.max(0, this.clock.now().getTime() - startedAt) / 1_000);
    await this.allocator.assignWaiting(pool.id);
  }

  private async create(desktop: Desktop, pool: Pool, options: CallOptions): Promise<void> {
    const image = await this.images.locate(desktop.imageVersionId);
    const hostname = `${pool.name.slice(0, 40)}-${desktop.id.slice(0, 6)}`;
    const shape = { vcpus: pool.vcpus, memoryMiB: pool.memoryMib, hostname };
    await this.driver.create({ id: desktop.id, image, ...shape }, options);
  }
}
