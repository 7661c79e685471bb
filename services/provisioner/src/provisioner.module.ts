import { join } from 'node:path';
import { type DynamicModule, Module } from '@nestjs/common';
import type { AppConfig } from '#libs/config';
import type { HypervisorDriver } from '#libs/hypervisor';
import { DestroyDesktopHandler } from './handlers/destroy-desktop.handler.js';
import { ProvisionDesktopHandler } from './handlers/provision-desktop.handler.js';
import { ReconcilePoolHandler } from './handlers/reconcile-pool.handler.js';
import { ResizeDesktopHandler } from './handlers/resize-desktop.handler.js';
import { ImageLocator } from './image-locator.js';
import { MachineShutdown } from './machine-shutdown.js';
import { MachineWatch } from './machine-watch.js';
import { MachinesInTheMaking } from './machines-in-the-making.js';
import { Provisioner } from './provisioner.js';
import { DRIVER, PROVISIONER_OPTIONS, type ProvisionerOptions } from './provisioner-options.js';
import { HostReconciler } from './reconcilers/host.reconciler.js';
import { MachineReconciler } from './reconcilers/machine.reconciler.js';
import { MemoryUsageReconciler } from './reconcilers/memory-usage.reconciler.js';
import { ParentReconciler } from './reconcilers/parent.reconciler.js';
import { PoolReconciler } from './reconcilers/pool.reconciler.js';
import { PoolMetricsReconciler } from './reconcilers/pool-metrics.reconciler.js';
import { QuarantineReconciler } from './reconcilers/quarantine.reconciler.js';
import { RefillMetricsReconciler } from './reconcilers/refill-metrics.reconciler.js';
import { SessionReconciler } from './reconcilers/session.reconciler.js';
import { StuckDesktopReconciler } from './reconcilers/stuck-desktop.reconciler.js';
import { volumeStoreProviders } from './volume-store.provider.js';

/**
 * The only part that touches a hypervisor. Needs the global modules of telemetry, database, bus, jobs, audit, desktops
 * and sessions.
 */
@Module({})
export class ProvisionerModule {
  /** @param driver made by `createDriver`, or a fake */
  static register(
    config: Pick<AppConfig, 'hostName' | 'stateDir' | 'store'>,
    driver: HypervisorDriver,
    reconcileIntervalMs = 5_000,
  ): DynamicModule {
    const options: ProvisionerOptions = {
      hostName: config.hostName,
      imagesDir: join(config.stateDir, 'images'),
      reconcileIntervalMs,
    };
    return {
      module: ProvisionerModule,
      providers: [
        { provide: PROVISIONER_OPTIONS, useValue: options },
        { provide: DRIVER, useValue: driver },
        ...volumeStoreProviders(config),
        ImageLocator,
        MachinesInTheMaking,
        MachineWatch,
        MachineShutdown,
        Provisioner,
        ProvisionDesktopHandler,
        DestroyDesktopHandler,
        ResizeDesktopHandler,
        ReconcilePoolHandler,
        HostReconciler,
        MachineReconciler,
        StuckDesktopReconciler,
        QuarantineReconciler,
        SessionReconciler,
        PoolReconciler,
        ParentReconciler,
        MemoryUsageReconciler,
        PoolMetricsReconciler,
        RefillMetricsReconciler,
      ],
      exports: [MachineShutdown],
    };
  }
}
