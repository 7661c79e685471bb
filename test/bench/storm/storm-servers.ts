import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processOwner, startPostgres, startRedis } from '#libs/embedded';
import { makePlaceholderImage } from '#libs/images';
import { createLogger } from '#libs/telemetry';
import { createTestDatabase, createTestRedis, type TestDatabase } from '#libs/testing';

export interface StormServers {
  readonly database: TestDatabase;
  readonly redisUrl: string;
  /** Holds an image `debian/1` that the fake driver can be given. */
  readonly stateDir: string;
  stop(): Promise<void>;
}

export const imageDigest = 'ab'.repeat(32);

/** PostgreSQL that writes durably, Redis, and the files of an image. */
export async function startStormServers(): Promise<StormServers> {
  const logger = createLogger({ service: 'bench', level: 'error' });
  const folder = await mkdtemp(join(tmpdir(), 'goldleaf-bench-'));
  // Servers that run as another user must get through to their own private folders below.
  await chmod(folder, 0o711);
  const options = (name: string) => ({ folder: join(folder, name), owner: processOwner(), logger });
  const [postgres, redis] = await Promise.all([startPostgres(options('postgres')), startRedis(options('redis'))]);
  process.env.TEST_DATABASE_URL = postgres.url;
  process.env.TEST_REDIS_URL = redis.url;
  const database = await createTestDatabase();
  const { url: redisUrl } = await createTestRedis();
  await makePlaceholderImage(join(folder, 'images', 'debian', '1'), 'debian', imageDigest);
  return {
    database,
    redisUrl,
    stateDir: folder,
    stop: async () => {
      await database.destroy();
      await Promise.allSettled([redis.stop(), postgres.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
