import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processOwner, startPostgres, startRedis } from '#libs/embedded';
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
  await writeImage(join(folder, 'images', 'debian', '1'));
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

async function writeImage(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const contents = { 'root.img': 'root', vmlinuz: 'kernel', 'initrd.img': 'initrd' };
  const files: Record<string, { bytes: number; sha256: string }> = {};
  for (const [name, content] of Object.entries(contents)) {
    await writeFile(join(folder, name), content);
    files[name] = { bytes: content.length, sha256: imageDigest };
  }
  const manifest = {
    ...{ formatVersion: 1, name: 'debian', recipeDigest: imageDigest, digest: imageDigest, kernelArguments: 'quiet' },
    ...{ builtAt: '2026-01-01T00:00:00Z', files },
  };
  await writeFile(join(folder, 'image.json'), JSON.stringify(manifest));
}
