import { chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { EmbeddedServer, EmbeddedServerOptions } from './embedded-server.js';
import { freePort } from './free-port.js';
import { launch, prepareFolder } from './launch.js';
import { storedSecret } from './stored-secret.js';

/** Starts the system's redis-server on loopback with a password; it keeps nothing on disk, as Goldleaf may lose it. */
export async function startRedis(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const { folder, owner } = options;
  await prepareFolder(options);
  const password = await storedSecret(join(folder, 'password'));
  const port = await freePort(options.preferredPort);
  const configuration = join(folder, 'redis.conf');
  // The password stands in a file of mode 0600, not in the arguments, which every user of the host can read.
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    `dir ${folder}`,
    'databases 256',
    'save ""',
    'appendonly no',
    'maxmemory-policy noeviction',
    'set-proc-title no',
  ];
  await writeFile(configuration, `${lines.join('\n')}\n`, { mode: 0o600 });
  if (owner) await chown(configuration, owner.uid, owner.gid);
  const url = `redis://:${password}@127.0.0.1:${port}/0`;
  return await launch(
    {
      name: 'redis-server',
      command: 'redis-server',
      args: [configuration],
      port,
      url,
      stopSignal: 'SIGTERM',
      check: () => ping(url),
      readyTimeoutMs: 15_000,
    },
    options,
  );
}

async function ping(url: string): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true, connectTimeout: 1_000, retryStrategy: () => null });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    await redis.ping();
  } finally {
    redis.disconnect();
  }
}
