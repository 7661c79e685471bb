import { Redis } from 'ioredis';

/**
 * A Redis connection that reconnects for ever. A command sent while Redis is away fails at once instead of waiting,
 * so that a request never hangs on it.
 * @param url redis:// URL. Secret: never logged.
 * @param role shown in CLIENT LIST
 * @param onError told once for each time that Redis goes away, not for every attempt to reconnect
 */
export function createRedis(url: string, role: string, onError: (error: Error) => void): Redis {
  const redis = new Redis(url, {
    connectionName: `goldleaf-${role}`,
    connectTimeout: 5_000,
    commandTimeout: 5_000,
    maxRetriesPerRequest: 0,
    // Commands of one turn of the event loop go out in one packet: a batch of jobs or messages costs one write.
    enableAutoPipelining: true,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 5), 1_000),
  });
  let told = false;
  redis.on('ready', () => {
    told = false;
  });
  redis.on('error', (error: Error) => {
    if (!told) onError(error);
    told = true;
  });
  return redis;
}
