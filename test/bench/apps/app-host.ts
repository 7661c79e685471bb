import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { pino } from 'pino';
import type { SigningKey } from '#libs/app-layers';
import { LayerVerifierModule } from '#libs/apps';
import type { HypervisorDriver } from '#libs/hypervisor';
import { systemClock } from '#libs/kernel';
import { CLOCK, LOGGER, Metrics } from '#libs/telemetry';
import { ChunkCache, DirectoryObjectStore, VolumeStore } from '#libs/volumes';
import {
  APP_OPTIONS,
  AppAttacher,
  AppMetrics,
  DRIVER,
  defaultAppOptions,
  EXPORT_OPTIONS,
  MachineExports,
  SharedReaders,
  VolumeDamage,
  VolumeMetrics,
} from '#services/provisioner';
import { machineUser } from '../fork/fork-host.js';
import { CountedObjects } from './counted-objects.js';
import { type TapedRead, TapingStore } from './read-tape.js';

@Module({})
class AppHostModule {}

/** What a provisioner does for the applications of its machines, over a chunk cache that is empty at first. */
export class AppHost {
  private constructor(
    private readonly context: INestApplicationContext,
    /** What was fetched of the store, manifests too. */
    readonly store: CountedObjects,
    private readonly cache: ChunkCache,
    /** All reads of volumes so far. */
    readonly tape: readonly TapedRead[],
  ) {}

  /** @param dir its state folder, which machines can enter */
  static async open(dir: string, storeDir: string, driver: HypervisorDriver, key: SigningKey): Promise<AppHost> {
    const logger = pino({ level: 'warn' }, pino.destination(2));
    const keysDir = join(dir, 'app-keys');
    await mkdir(keysDir, { recursive: true });
    await writeFile(join(keysDir, 'own.pem'), key.publicKeyPem);
    const store = new CountedObjects(new DirectoryObjectStore(storeDir));
    const cache = await ChunkCache.open({ folder: join(dir, 'chunk-cache'), maxBytes: 2 ** 31, logger });
    const volumes = new TapingStore({ objects: store, cache, logger });
    const shared = {
      module: class Shared {},
      global: true,
      providers: [
        { provide: LOGGER, useValue: logger },
        { provide: CLOCK, useValue: systemClock },
        { provide: Metrics, useValue: new Metrics() },
      ],
      exports: [LOGGER, CLOCK, Metrics],
    };
    const module = {
      module: AppHostModule,
      imports: [shared, LayerVerifierModule.register({ keysDir })],
      providers: [
        { provide: DRIVER, useValue: driver },
        { provide: APP_OPTIONS, useValue: defaultAppOptions },
        { provide: EXPORT_OPTIONS, useValue: { stateDir: dir, machineUser } },
        { provide: ChunkCache, useValue: cache },
        { provide: VolumeStore, useValue: volumes },
        // Nothing is damaged here; if it is, the bench fails.
        { provide: VolumeDamage, useValue: { markDamaged: () => Promise.reject(new Error('the store is damaged')) } },
        VolumeMetrics,
        AppMetrics,
        SharedReaders,
        MachineExports,
        AppAttacher,
      ],
    };
    const context = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
    await context.get(MachineExports).start();
    return new AppHost(context, store, cache, volumes.tape);
  }

  get attacher(): AppAttacher {
    return this.context.get(AppAttacher);
  }

  /** Volumes of machines, each machine's on a socket of its own. */
  get exports(): MachineExports {
    return this.context.get(MachineExports);
  }

  async close(): Promise<void> {
    await this.exports.stop();
    await this.context.close();
    await this.cache.close();
    this.store.close();
  }
}
