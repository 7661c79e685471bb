import { type DynamicModule, Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { createRedis } from './create-redis.js';
import { MessageBus } from './message-bus.js';

/** Injection token of the Redis connection for commands (tickets, publishing). */
export const REDIS = Symbol('goldleaf.redis');
const SUBSCRIBER = Symbol('goldleaf.redis.subscriber');

/** Provides `MessageBus` and the shared Redis connection (`REDIS`) to all modules. */
@Global()
@Module({})
export class BusModule implements OnApplicationShutdown {
  constructor(
    @Inject(REDIS) private readonly redis: Redis,
    @Inject(SUBSCRIBER) private readonly subscriber: Redis,
  ) {}

  static register(options: { url: string; logger: Logger }): DynamicModule {
    const onError = (error: Error) => options.logger.warn({ err: error }, 'redis connection');
    return {
      module: BusModule,
      providers: [
        { provide: REDIS, useFactory: () => createRedis(options.url, 'commands', onError) },
        { provide: SUBSCRIBER, useFactory: () => createRedis(options.url, 'subscriber', onError) },
        {
          provide: MessageBus,
          inject: [REDIS, SUBSCRIBER],
          useFactory: (redis: Redis, subscriber: Redis) => new MessageBus(redis, subscriber, options.logger),
        },
      ],
      exports: [REDIS, MessageBus],
    };
  }

  onApplicationShutdown(): void {
    this.subscriber.disconnect();
    this.redis.disconnect();
  }
}
