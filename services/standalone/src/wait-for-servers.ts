import { Redis } from 'ioredis';
import { Client } from 'pg';
import type { AppConfig } from '#libs/config';
import type { Terminal } from './terminal.js';

const patienceMs = 60_000;
const pauseMs = 500;

/** A server of somebody else's does not answer. The message names the variable, not its value. */
export class ServerUnreachableError extends Error {}

/**
 * Waits until PostgreSQL and Redis answer, which may start at the same time as we do.
 * @throws ServerUnreachableError when one does not within a minute
 */
export async function waitForServers(config: AppConfig, terminal: Terminal, signal: AbortSignal): Promise<void> {
  await Promise.all([
    answers('PostgreSQL', 'DATABASE_URL', () => askPostgres(config.databaseUrl.reveal()), terminal, signal),
    answers('Redis', 'REDIS_URL', () => askRedis(config.redisUrl.reveal()), terminal, signal),
  ]);
}

async function answers(
  name: string,
  variable: string,
  ask: () => Promise<void>,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  for (let told = false, deadline = Date.now() + patienceMs; ; told = true) {
    signal.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      const reason = typeof code === 'string' ? code : 'no connection';
      if (Date.now() > deadline) {
        throw new ServerUnreachableError(`${name} does not answer (${reason}): check ${variable}`);
      }
      if (!told) terminal.warn(`${name} does not answer yet (${reason}); waiting. Is ${variable} right?`);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

async function askPostgres(url: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 3_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function askRedis(url: string): Promise<void> {
  let fault: Error | undefined;
  const redis = new Redis(url, { lazyConnect: true, connectTimeout: 3_000, retryStrategy: () => null });
  redis.on('error', (error: Error) => {
    fault = error;
  });
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    throw fault ?? error;
  } finally {
    redis.disconnect();
  }
}
