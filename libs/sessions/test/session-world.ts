import type { Provider } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { AuditModule } from '#libs/audit';
import { BusModule } from '#libs/bus';
import { DatabaseModule } from '#libs/database';
import { DesktopsModule, HostRegistry } from '#libs/desktops';
import { ImageCatalogue } from '#libs/images';
import { JobsModule } from '#libs/jobs';
import { silentLogger, TelemetryModule } from '#libs/telemetry';
import { createTestDatabase, createTestRedis, type TestDatabase, type TestRedis } from '#libs/testing';
import { SessionsModule } from '../src/sessions.module.js';

/** Sessions over servers of their own, with a host `host-1` and a golden image `debian`. */
export class SessionWorld {
  private constructor(
    readonly database: TestDatabase,
    private readonly redis: TestRedis,
    readonly app: TestingModule,
  ) {}

  static async start(providers: Provider[] = []): Promise<SessionWorld> {
    const database = await createTestDatabase();
    const redis = await createTestRedis();
    const app = await Test.createTestingModule({
      imports: [
        TelemetryModule.register({ logger: silentLogger() }),
        DatabaseModule.register(database.dataSource),
        BusModule.register({ url: redis.url, logger: silentLogger() }),
        JobsModule.register({ url: redis.url }),
        AuditModule,
        DesktopsModule.register({ secretKey: 'a secret key of the tests' }),
        SessionsModule,
      ],
      providers,
    }).compile();
    await app.init();
    await app.get(HostRegistry).report({
      ...{ name: 'host-1', driver: 'fake', accelerator: 'none', vcpus: 2, memoryMiB: 409_600 },
      ...{ availableMemoryMiB: 409_600, availableDiskMiB: 409_600 },
    });
    const image = { name: 'debian', displayName: 'Debian', digest: 'd1', location: 'debian/d1', sizeBytes: 1 };
    await app.get(ImageCatalogue).publishContent(image);
    return new SessionWorld(database, redis, app);
  }

  async destroy(): Promise<void> {
    await this.app.close();
    await this.redis.destroy();
    await this.database.destroy();
  }
}
