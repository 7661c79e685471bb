import { type DynamicModule, Global, Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { createRedis } from '#libs/bus';
import { LOGGER } from '#libs/telemetry';
import { JOBS_REDIS, JobDispatcher } from './job-dispatcher.js';
import { JobRegistry } from './job-registry.js';
import { JOBS_REDIS_URL, JobWorkers } from './job-workers.js';

/** Provides `JobDispatcher` to all modules; `JobRegistry` and `JobWorkers` to those that do jobs. */
@Global()
@Module({})
export class JobsModule {
  /** @param options.url redis:// URL. Secret. */
  static register(options: { url: string }): DynamicModule {
    return {
      module: JobsModule,
      providers: [
        { provide: JOBS_REDIS_URL, useValue: options.url },
        {
          provide: JOBS_REDIS,
          inject: [LOGGER],
          useFactory: (logger: Logger) =>
            createRedis(options.url, 'jobs', (error) => logger.warn({ err: error }, 'jobs redis connection')),
        },
        JobDispatcher,
        JobRegistry,
        JobWorkers,
      ],
      exports: [JobDispatcher, JobRegistry, JobWorkers],
    };
  }
}
