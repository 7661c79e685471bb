import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { DataSource } from 'typeorm';
import { REDIS } from '#libs/bus';
import type { DirectoryProvider } from '#libs/directory';
import { ReadinessChecks } from '#libs/http';
import { DIRECTORY } from '#libs/identity';

/** What the broker cannot work without. */
@Injectable()
export class BrokerReadiness implements OnModuleInit {
  constructor(
    private readonly readiness: ReadinessChecks,
    private readonly dataSource: DataSource,
    @Inject(REDIS) private readonly redis: Redis,
    @Inject(DIRECTORY) private readonly directory: DirectoryProvider,
  ) {}

  onModuleInit(): void {
    this.readiness.register('database', () => this.dataSource.query('SELECT 1'));
    this.readiness.register('redis', () => this.redis.ping());
    this.readiness.register('directory', () => this.directory.check());
  }
}
