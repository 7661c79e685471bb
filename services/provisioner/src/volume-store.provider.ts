import { join } from 'node:path';
import { Inject, Injectable, type OnApplicationShutdown, type Provider } from '@nestjs/common';
import type { Logger } from 'pino';
import type { AppConfig } from '#libs/config';
import type { Clock } from '#libs/kernel';
import { CLOCK, LOGGER } from '#libs/telemetry';
import { ChunkCache, type ObjectStore, openObjectStore, VolumeStore } from '#libs/volumes';

/** Injection token of the `ObjectStore` below the host's `VolumeStore`. */
export const OBJECT_STORE = Symbol('goldleaf.provisioner.object-store');

/** Closes what the host's volume store holds open, after everybody who reads has ended. */
@Injectable()
export class VolumeStoreClosing implements OnApplicationShutdown {
  constructor(
    private readonly cache: ChunkCache,
    @Inject(OBJECT_STORE) private readonly objects: ObjectStore,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await this.cache.close();
    this.objects.close();
  }
}

/** `VolumeStore` and `ChunkCache`, one of each in a process: the store of the configuration and this host's cache of it. */
export function volumeStoreProviders(config: Pick<AppConfig, 'stateDir' | 'store'>): Provider[] {
  const { url, accessKey, secretKey, cacheBytes } = config.store;
  const keys = accessKey && secretKey && { accessKeyId: accessKey.reveal(), secretAccessKey: secretKey.reveal() };
  return [
    { provide: OBJECT_STORE, inject: [LOGGER], useFactory: (logger: Logger) => openObjectStore(url, keys, logger) },
    {
      provide: ChunkCache,
      inject: [LOGGER],
      useFactory: (logger: Logger) =>
        ChunkCache.open({ folder: join(config.stateDir, 'chunk-cache'), maxBytes: cacheBytes, logger }),
    },
    {
      provide: VolumeStore,
      inject: [OBJECT_STORE, ChunkCache, LOGGER, CLOCK],
      useFactory: (objects: ObjectStore, cache: ChunkCache, logger: Logger, clock: Clock) =>
        new VolumeStore({ objects, cache, logger, clock }),
    },
    VolumeStoreClosing,
  ];
}
