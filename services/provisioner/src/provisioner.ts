import { mkdir, rm } from 'node:fs/promises';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Logger } from 'pino';
import { STARTS_PER_VCPU } from '#libs/desktops';
import type { HypervisorDriver } from '#libs/hypervisor';
import { JobRegistry, JobWorkers } from '#libs/jobs';
import { LOGGER } from '#libs/telemetry';
import { DesktopAppSync } from './apps/desktop-app-sync.js';
import { GuestRequests } from './apps/guest-requests.js';
import { RestoreExports } from './apps/restore-exports.js';
import { VolumeDamage } from './apps/volume-damage.js';
import { MachineExports } from './exports/machine-exports.js';
import { DesktopAppsHandler } from './handlers/desktop-apps.handler.js';
import { DesktopProfileHandler } from './handlers/desktop-profile.handler.js';
import { DestroyDesktopHandler } from './handlers/destroy-desktop.handler.js';
import { ImportProfileHandler } from './handlers/import-profile.handler.js';
import { LookIntoProfileHandler } from './handlers/look-into-profile.handler.js';
import { ProvisionDesktopHandler } from './handlers/provision-desktop.handler.js';
import { ReconcilePoolHandler } from './handlers/reconcile-pool.handler.js';
import { ResizeDesktopHandler } from './handlers/resize-desktop.handler.js';
import { RestoreProfileHandler } from './handlers/restore-profile.handler.js';
import { MachineWatch } from './machine-watch.js';
import { AdoptProfiles } from './profiles/adopt-profiles.js';
import { DesktopProfileSync } from './profiles/desktop-profile-sync.js';
import { DRIVER, PROVISIONER_OPTIONS, type ProvisionerOptions } from './provisioner-options.js';
import { AppReconciler } from './reconcilers/app.reconciler.js';
import { HostReconciler } from './reconcilers/host.reconciler.js';
import { ImageReconciler } from './reconcilers/image.reconciler.js';
import { MachineReconciler } from './reconcilers/machine.reconciler.js';
import { MemoryUsageReconciler } from './reconcilers/memory-usage.reconciler.js';
import { ParentReconciler } from './reconcilers/parent.reconciler.js';
import { PoolReconciler } from './reconcilers/pool.reconciler.js';
import { PoolMetricsReconciler } from './reconcilers/pool-metrics.reconciler.js';
import { ProfileReconciler } from './reconcilers/profile.reconciler.js';
import { QuarantineReconciler } from './reconcilers/quarantine.reconciler.js';
import { ReconcilerLoop } from './reconcilers/reconciler-loop.js';
import { RefillMetricsReconciler } from './reconcilers/refill-metrics.reconciler.js';
import { SessionReconciler } from './reconcilers/session.reconciler.js';
import { StoreReconciler } from './reconcilers/store.reconciler.js';
import { StuckDesktopReconciler } from './reconcilers/stuck-desktop.reconciler.js';

/** Jobs under way at the end get this long; what is left is done again after the next start. */
const STOP_TIMEOUT_MS = 3_000;

/** Starts and stops all that this service does. */
@Injectable()
export class Provisioner implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: ReconcilerLoop;

  constructor(
    @Inject(DRIVER) private readonly driver: HypervisorDriver,
    @Inject(PROVISIONER_OPTIONS) private readonly options: ProvisionerOptions,
    @Inject(LOGGER) logger: Logger,
    private readonly registry: JobRegistry,
    private readonly workers: JobWorkers,
    private readonly watch: MachineWatch,
    private readonly provisionDesktop: ProvisionDesktopHandler,
    private readonly destroyDesktop: DestroyDesktopHandler,
    private readonly resizeDesktop: ResizeDesktopHandler,
    private readonly reconcilePool: ReconcilePoolHandler,
    private readonly desktopApps: DesktopAppsHandler,
    private readonly desktopProfile: DesktopProfileHandler,
    private readonly restoreProfile: RestoreProfileHandler,
    private readonly importProfile: ImportProfileHandler,
    private readonly lookIntoProfile: LookIntoProfileHandler,
    private readonly appSync: DesktopAppSync,
    private readonly profileSync: DesktopProfileSync,
    private readonly requests: GuestRequests,
    private readonly damage: VolumeDamage,
    private readonly exports: MachineExports,
    private readonly restore: RestoreExports,
    private readonly adoption: AdoptProfiles,
    private readonly host: HostReconciler,
    machine: MachineReconciler,
    stuckDesktop: StuckDesktopReconciler,
    quarantine: QuarantineReconciler,
    session: SessionReconciler,
    pool: PoolReconciler,
    app: AppReconciler,
    private readonly profile: ProfileReconciler,
    private readonly parent: ParentReconciler,
    private readonly image: ImageReconciler,
    private readonly volumes: StoreReconciler,
    memoryUsage: MemoryUsageReconciler,
    poolMetrics: PoolMetricsReconciler,
    refillMetrics: RefillMetricsReconciler,
  ) {
    const domain = { host, machine, stuckDesktop, quarantine, session, pool, app, profile };
    const reconcilers = { ...domain, image, parent, volumes, memoryUsage, poolMetrics, refillMetrics };
    this.loop = new ReconcilerLoop(reconcilers, options.reconcileIntervalMs, logger);
  }

  async onApplicationBootstrap(): Promise<void> {
    this.registry.handle('desktop.provision', (payload, context) => this.provisionDesktop.handle(payload, context));
    this.registry.handle('desktop.destroy', (payload, context) => this.destroyDesktop.handle(payload, context));
    this.registry.handle('desktop.resize', (payload, context) => this.resizeDesktop.handle(payload, context));
    this.registry.handle('pool.reconcile', (payload) => this.reconcilePool.handle(payload));
    this.registry.handle('desktop.apps', (payload) => this.desktopApps.handle(payload));
    this.registry.handle('desktop.profile', (payload) => this.desktopProfile.handle(payload));
    this.registry.handle('profile.restore', (payload) => this.restoreProfile.handle(payload));
    this.registry.handle('profile.import', (payload) => this.importProfile.handle(payload));
    this.registry.handle('profile.look', (payload) => this.lookIntoProfile.handle(payload));
    await rm(this.options.scratchDir, { recursive: true, force: true });
    await mkdir(this.options.scratchDir, { recursive: true, mode: 0o700 });
    this.watch.start();
    this.requests.start();
    this.damage.start();
    await this.exports.start();
    await this.lookIntoProfile.start();
    await this.driver.start();
    await Promise.all([this.restore.run(), this.adoption.run()]);
    await this.host.run();
    const { vcpus } = await this.driver.capacity();
    this.workers.start(this.options.hostName, { 'desktop.provision': vcpus * STARTS_PER_VCPU });
    await this.loop.runOnce();
    this.loop.start();
  }

  /** Before the database is closed. Machines go on running: the next start adopts them. */
  async beforeApplicationShutdown(): Promise<void> {
    this.watch.stop();
    this.requests.stop();
    this.appSync.stop();
    this.profileSync.stop();
    this.lookIntoProfile.stop();
    await Promise.all([
      this.loop.stop(),
      this.workers.stop(STOP_TIMEOUT_MS),
      this.parent.stop(),
      this.image.stop(),
      this.volumes.stop(),
      this.profile.stop(),
    ]);
    this.damage.stop();
    await this.exports.stop();
    await this.driver.stop();
  }
}
