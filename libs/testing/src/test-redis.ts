import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { serverAddress } from './server-address.js';

export interface TestRedis {
  /** With a database number of its own, empty at the start. Channels of pub/sub are NOT separate: use `prefix`. */
  readonly url: string;
  /** Unique to this call: for BullMQ and for names of channels. */
  readonly prefix: string;
  /** Connected; closed by `destroy`. */
  readonly redis: Redis;
  destroy(): Promise<void>;
}

/** A Redis database of one test's own, on a server that only files of the same worker of jest share. */
export async function createTestRedis(): Promise<TestRedis> {
  const servers = serverAddress('TEST_REDIS_URL').split(' ');
  const worker = Number(process.env.JEST_WORKER_ID ?? 1) - 1;
  const url = new URL(servers[worker % servers.length] ?? '');
  const shared = new Redis(url.href);
  try {
    const databases = Number(((await shared.config('GET', 'databases')) as string[])[1]);
    // Database 0 only counts.
    const number = ((await shared.incr('goldleaf-test:databases')) % (databases - 1)) + 1;
    url.pathname = `/${number}`;
  } finally {
    shared.disconnect();
  }
  const redis = new Redis(url.href);
  await redis.flushdb();
  return {
    url: url.href,
    prefix: `test-${randomUUID()}`,
    redis,
    destroy: async () => {
      await redis.flushdb();
      redis.disconnect();
    },
  };
}
