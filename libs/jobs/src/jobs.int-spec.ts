import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createRedis } from '#libs/bus';
import { currentCorrelationId, Metrics, runWithCorrelation, silentLogger } from '#libs/telemetry';
import { createTestRedis, type TestRedis, until } from '#libs/testing';
import { type JobName, jobNames } from './job-definitions.js';
import { JobDispatcher } from './job-dispatcher.js';
import { type JobContext, JobRegistry } from './job-registry.js';
import { JobWorkers } from './job-workers.js';

type Seen = { name: JobName; payload: unknown; context: JobContext; correlationId: string | undefined };

describe('jobs over a real Redis', () => {
  let redis: TestRedis;
  let dispatcher: JobDispatcher;
  let workers: JobWorkers;
  let seen: Seen[];
  let perform: (seen: Seen) => Promise<void>;

  beforeAll(async () => {
    redis = await createTestRedis();
    dispatcher = new JobDispatcher(
      createRedis(redis.url, 'test', () => undefined),
      silentLogger(),
    );
    const registry = new JobRegistry();
    for (const name of jobNames) {
      registry.handle(name, async (payload, context) => {
        const job = { name, payload, context, correlationId: currentCorrelationId() };
        seen.push(job);
        await perform(job);
      });
    }
    workers = new JobWorkers(redis.url, registry, new Metrics(), silentLogger());
    workers.start('host-1');
  });

  beforeEach(() => {
    seen = [];
    perform = async () => undefined;
  });

  afterAll(async () => {
    await workers?.stop(1_000);
    await dispatcher?.onApplicationShutdown();
    await redis?.destroy();
  });

  it('does a job under the correlation id of the request that ordered it', async () => {
    const poolId = randomUUID();
    await runWithCorrelation('request-1234', () => dispatcher.enqueue('pool.reconcile', { poolId }));
    await until('the job begins', () => seen.length > 0);
    expect(seen[0]).toMatchObject({ name: 'pool.reconcile', payload: { poolId }, correlationId: 'request-1234' });
    expect(seen[0]?.context).toEqual({ correlationId: 'request-1234', attempt: 1, isLastAttempt: true });
  });

  it('does a job of a host only on that host', async () => {
    const elsewhere = randomUUID();
    const here = randomUUID();
    await dispatcher.enqueue('desktop.destroy', { desktopId: elsewhere }, { host: 'host-2' });
    await dispatcher.enqueue('desktop.destroy', { desktopId: here }, { host: 'host-1' });
    await until('the job begins', () => seen.length > 0);
    expect(seen.map((job) => job.payload)).toEqual([{ desktopId: here }]);
  });

  it('does not add a job again that waits or runs already', async () => {
    const desktopId = randomUUID();
    let finish: () => void = () => undefined;
    perform = () => new Promise((resolve) => (finish = resolve));
    await dispatcher.enqueue('desktop.provision', { desktopId }, { host: 'host-1' });
    await until('one job begins', () => seen.length === 1);
    await dispatcher.enqueue('desktop.provision', { desktopId }, { host: 'host-1' });
    finish();
    perform = async () => undefined;
    const other = randomUUID();
    await dispatcher.enqueue('desktop.provision', { desktopId: other }, { host: 'host-1' });
    await until('two jobs begin', () => seen.length === 2);
    expect(seen.map((job) => job.payload)).toEqual([{ desktopId }, { desktopId: other }]);
  });

  it('tries a failed job again and tells the last attempt', async () => {
    const desktopId = randomUUID();
    perform = async ({ context }) => {
      if (context.attempt === 1) throw new Error('not yet');
    };
    await dispatcher.enqueue('desktop.destroy', { desktopId }, { host: 'host-1' });
    await until('two jobs begin', () => seen.length === 2);
    expect(seen.map((job) => [job.context.attempt, job.context.isLastAttempt])).toEqual([
      [1, false],
      [2, false],
    ]);
  });

  it('refuses a payload that is not of the right form, and a host job without a host', async () => {
    const payload = { desktopId: 'not-a-uuid' };
    await dispatcher.enqueue('desktop.destroy', payload, { host: 'host-1' });
    await dispatcher.enqueue('pool.reconcile', { poolId: randomUUID() });
    await until('the job begins', () => seen.length > 0);
    expect(seen.map((job) => job.name)).toEqual(['pool.reconcile']);
    await expect(dispatcher.enqueue('desktop.destroy', payload)).rejects.toThrow('wrong scope');
  });

  it('does not hang or reject when Redis is away', async () => {
    const away = new JobDispatcher(
      createRedis('redis://127.0.0.1:1/0', 'test', () => undefined),
      silentLogger(),
    );
    await away.enqueue('pool.reconcile', { poolId: randomUUID() });
    await away.onApplicationShutdown();
  });
});
