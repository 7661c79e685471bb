import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DynamicModule, Module } from '@nestjs/common';
import { LayerVerifierModule } from '#libs/apps';
import type { AppConfig } from '#libs/config';
import { DEFAULT_RETENTION } from '#libs/contracts';
import type { HypervisorDriver } from '#libs/hypervisor';
import { ProfileRecords, ProfilesModule } from '#libs/profiles';
import type { ObjectStore } from '#libs/volumes';
import { AppAttacher } from './apps/app-attacher.js';
import { AppMemory } from './apps/app-memory.js';
import { APP_OPTIONS, type AppOptions, defaultAppOptions } from './apps/app-options.js';
import { AppRecorder } from './apps/app-recorder.js';
import { DesktopAppSync } from './apps/desktop-app-sync.js';
import { GuestRequests } from './apps/guest-requests.js';
import { RestoreExports } from './apps/restore-exports.js';
import { VolumeDamage } from './apps/volume-damage.js';
import { machineUserOf } from './create-driver.js';
import { EXPORT_OPTIONS, type ExportOptions, MachineExports } from './exports/machine-exports.js';
import { SharedReaders } from './exports/shared-readers.js';
import { DesktopAppsHandler } from './handlers/desktop-apps.handler.js';
import { DesktopProfileHandler } from './handlers/desktop-profile.handler.js';
import { DestroyDesktopHandler } from './handlers/destroy-desktop.handler.js';
import { ImportProfileHandler } from './handlers/import-profile.handler.js';
import { LookIntoProfileHandler } from './handlers/look-into-profile.handler.js';
import { ProvisionDesktopHandler } from './handlers/provision-desktop.handler.js';
import { ReconcilePoolHandler } from './handlers/reconcile-pool.handler.js';
import { ResizeDesktopHandler } from './handlers/resize-desktop.handler.js';
import { RestoreProfileHandler } from './handlers/restore-profile.handler.js';
import { ImageCopies } from './image-copies.js';
import { ImageImport } from './image-import.js';
import { ImageLocator } from './image-locator.js';
import { LOOKUP_FOLDER } from './lookups/version-file.js';
import { MachineShutdown } from './machine-shutdown.js';
import { MachineWatch } from './machine-watch.js';
import { MachinesInTheMaking } from './machines-in-the-making.js';
import { AppMetrics } from './metrics/app-metrics.js';
import { ProfileMetrics } from './metrics/profile-metrics.js';
import { VolumeMetrics } from './metrics/volume-metrics.js';
import { AdoptProfiles } from './profiles/adopt-profiles.js';
import { DesktopProfileSync } from './profiles/desktop-profile-sync.js';
import { ProfileHousekeeping } from './profiles/profile-housekeeping.js';
import { ProfileImporter } from './profiles/profile-importer.js';
import { type MasterKeys, profileKeysOf } from './profiles/profile-keys-of.js';
import { ProfileOpener } from './profiles/profile-opener.js';
import { defaultProfileOptions, PROFILE_OPTIONS, type ProfileOptions } from './profiles/profile-options.js';
import { ProfileRecorder } from './profiles/profile-recorder.js';
import { ProfileUsage } from './profiles/profile-usage.js';
import { PROFILE_KEYS, ProfileVault } from './profiles/profile-vault.js';
import { ProfileWriter } from './profiles/profile-writer.js';
import { UnfinishedRestores } from './profiles/unfinished-restores.js';
import { Provisioner } from './provisioner.js';
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
import { RefillMetricsReconciler } from './reconcilers/refill-metrics.reconciler.js';
import { SessionReconciler } from './reconcilers/session.reconciler.js';
import { StoreReconciler } from './reconcilers/store.reconciler.js';
import { StuckDesktopReconciler } from './reconcilers/stuck-desktop.reconciler.js';
import { OBJECT_STORE, volumeStoreProviders } from './volume-store.provider.js';

export type ProvisionerConfig = Pick<AppConfig, 'hostName' | 'stateDir' | 'store' | 'appKeysDir'> &
  MasterKeys &
  Partial<Pick<AppConfig, 'profileRetention'>>;

/**
 * The only part that touches a hypervisor. Needs the global modules of telemetry, database, bus, jobs, audit, desktops
 * and sessions.
 */
@Module({})
export class ProvisionerModule {
  /** @param driver made by `createDriver`, or a fake */
  static register(
    config: ProvisionerConfig,
    driver: HypervisorDriver,
    reconcileIntervalMs = 5_000,
    appOptions: AppOptions = defaultAppOptions,
    profileOptions: ProfileOptions = defaultProfileOptions,
  ): DynamicModule {
    const options: ProvisionerOptions = {
      hostName: config.hostName,
      imagesDir: join(config.stateDir, 'images'),
      imageCopiesDir: join(config.stateDir, 'image-copies'),
      scratchDir: join(config.stateDir, 'scratch'),
      profileRetention: config.profileRetention ?? DEFAULT_RETENTION,
      reconcileIntervalMs,
    };
    return {
      module: ProvisionerModule,
      imports: [LayerVerifierModule.register({ keysDir: config.appKeysDir }), ProfilesModule],
      providers: [
        { provide: PROVISIONER_OPTIONS, useValue: options },
        { provide: DRIVER, useValue: driver },
        { provide: APP_OPTIONS, useValue: appOptions },
        { provide: PROFILE_OPTIONS, useValue: profileOptions },
        { provide: LOOKUP_FOLDER, useFactory: tmpdir },
        { provide: PROFILE_KEYS, useFactory: () => profileKeysOf(config) },
        {
          provide: EXPORT_OPTIONS,
          useFactory: (): ExportOptions => ({ stateDir: config.stateDir, machineUser: machineUserOf(driver) }),
        },
        ...volumeStoreProviders(config),
        VolumeMetrics,
        SharedReaders,
        MachineExports,
        AppMetrics,
        AppMemory,
        AppAttacher,
        AppRecorder,
        VolumeDamage,
        DesktopAppSync,
        GuestRequests,
        RestoreExports,
        ProfileMetrics,
        {
          provide: ProfileRecords,
          inject: [OBJECT_STORE],
          useFactory: (objects: ObjectStore) => new ProfileRecords(objects),
        },
        ProfileRecorder,
        ProfileImporter,
        ProfileVault,
        ProfileWriter,
        ProfileUsage,
        ProfileOpener,
        UnfinishedRestores,
        DesktopProfileSync,
        AdoptProfiles,
        ProfileHousekeeping,
        ImageCopies,
        ImageImport,
        ImageLocator,
        MachinesInTheMaking,
        MachineWatch,
        MachineShutdown,
        Provisioner,
        ProvisionDesktopHandler,
        DestroyDesktopHandler,
        ResizeDesktopHandler,
        DesktopAppsHandler,
        DesktopProfileHandler,
        ImportProfileHandler,
        RestoreProfileHandler,
        LookIntoProfileHandler,
        ReconcilePoolHandler,
        HostReconciler,
        MachineReconciler,
        StuckDesktopReconciler,
        QuarantineReconciler,
        SessionReconciler,
        PoolReconciler,
        AppReconciler,
        ProfileReconciler,
        ParentReconciler,
        ImageReconciler,
        StoreReconciler,
        MemoryUsageReconciler,
        PoolMetricsReconciler,
        RefillMetricsReconciler,
      ],
      exports: [MachineShutdown],
    };
  }
}
