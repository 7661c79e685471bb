import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processOwner, startPostgres, startRedis } from '#libs/embedded';
import { createLogger } from '#libs/telemetry';
import { type BrokerFixture, startBroker } from '../../integration/broker/broker-fixture.js';

export interface LogonServers {
  readonly broker: BrokerFixture;
  stop(): Promise<void>;
}

/** A broker with PostgreSQL that writes durably, Redis, and a directory that answers at once. */
export async function startLogonServers(): Promise<LogonServers> {
  const quiet = createLogger({ service: 'bench', level: 'error' });
  const folder = await mkdtemp(join(tmpdir(), 'goldleaf-bench-'));
  // Servers that run as another user must get through to their own private folders below.
  await chmod(folder, 0o711);
  const options = (name: string) => ({ folder: join(folder, name), owner: processOwner(), logger: quiet });
  const [postgres, redis] = await Promise.all([startPostgres(options('postgres')), startRedis(options('redis'))]);
  process.env.TEST_DATABASE_URL = postgres.url;
  process.env.TEST_REDIS_URL = redis.url;
  const broker = await startBroker({ logger: quiet });
  return {
    broker,
    stop: async () => {
      await broker.destroy();
      await Promise.allSettled([redis.stop(), postgres.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
