import type { DynamicModule, INestApplicationContext, Type } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuditModule } from '#libs/audit';
import { BusModule } from '#libs/bus';
import { DatabaseModule } from '#libs/database';
import { DesktopsModule } from '#libs/desktops';
import { JobsModule } from '#libs/jobs';
import { SessionsModule } from '#libs/sessions';
import { createLogger, TelemetryModule } from '#libs/telemetry';
import { createDataSource } from '#migrations';

/** What a thread of the storm is given. */
export interface StormTask {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly stateDir: string;
}

/** The modules of a broker or provisioner without HTTP, connected to the servers of the storm. */
export function startStormApp(
  task: StormTask,
  name: string,
  more: DynamicModule[] = [],
): Promise<INestApplicationContext> {
  const logger = createLogger({ service: name, level: 'warn' });
  const imports: (DynamicModule | Type)[] = [
    TelemetryModule.register({ logger }),
    DatabaseModule.register(createDataSource(task.databaseUrl, { poolSize: 20, applicationName: name })),
    BusModule.register({ url: task.redisUrl, logger }),
    JobsModule.register({ url: task.redisUrl }),
    AuditModule,
    DesktopsModule.register({ secretKey: 'a secret key of the bench' }),
    SessionsModule,
    ...more,
  ];
  @Module({ imports })
  class StormModule {}
  return NestFactory.createApplicationContext(StormModule, { logger: false });
}
