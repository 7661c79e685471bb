import { Inject, Injectable } from '@nestjs/common';
import { type Job, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { LOGGER, Metrics, runWithCorrelation } from '#libs/telemetry';
import { type JobName, jobDefinitions, jobEnvelopeSchema, jobNames, queueName } from './job-definitions.js';
import { JobRegistry } from './job-registry.js';

/** Injection token: redis:// URL of the job queues. Secret. */
export const JOBS_REDIS_URL = Symbol('goldleaf.jobs.redis-url');

/** A worker that was killed is noticed, and its job given to another, after this time. */
const LOCK_MS = 5_000;

/** Does jobs: the shared ones, and those of one host. */
@Injectable()
export class JobWorkers {
  private readonly workers: Worker[] = [];
  private readonly connections: Redis[] = [];

  constructor(
    @Inject(JOBS_REDIS_URL) private readonly url: string,
    private readonly registry: JobRegistry,
    private readonly metrics: Metrics,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @param host name of the hypervisor host whose jobs are done here. @param concurrency instead of the job's own, where the
   *   host can do more or less at a time. @throws Error when a job has no handler */
  start(host: string, concurrency: Partial<Record<JobName, number>> = {}): void {
    this.registry.assertComplete();
    for (const name of jobNames) this.startWorker(name, host, concurrency[name]);
  }

  /** Takes no new jobs and waits for those under way, at most `timeoutMs`; what is left is retried later. */
  async stop(timeoutMs: number): Promise<void> {
    const closing = Promise.allSettled(this.workers.map((worker) => worker.close()));
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([closing, deadline]);
    clearTimeout(timer);
    for (const connection of this.connections) connection.disconnect();
  }

  private startWorker(name: JobName, host: string, concurrency: number | undefined): void {
    const definition = jobDefinitions[name];
    const connection = new Redis(this.url, {
      connectionName: `goldleaf-worker-${name}`,
      maxRetriesPerRequest: null,
      retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 5), 1_000),
    });
    connection.on('error', (error) => this.logger.debug({ err: error, job: name }, 'worker connection'));
    const worker = new Worker(
      queueName(name, definition.scope === 'host' ? host : undefined),
      async (job) => this.perform(name, job),
      {
        connection,
        prefix: 'goldleaf:jobs',
        concurrency: concurrency ?? definition.concurrency,
        lockDuration: LOCK_MS,
        stalledInterval: LOCK_MS / 2,
        maxStalledCount: 5,
      },
    );
    worker.on('error', (error) => this.logger.debug({ err: error, job: name }, 'worker'));
    this.workers.push(worker);
    this.connections.push(connection);
  }

  private async perform(name: JobName, job: Job): Promise<void> {
    const envelope = jobEnvelopeSchema.parse(job.data);
    const payload = jobDefinitions[name].payload.parse(envelope.payload);
    const attempt = job.attemptsMade + 1;
    const isLastAttempt = attempt >= (job.opts.attempts ?? 1);
    await runWithCorrelation(envelope.correlationId, async () => {
      const startedAt = performance.now();
      let outcome = 'done';
      try {
        await this.registry.handlerOf(name)(payload, { correlationId: envelope.correlationId, attempt, isLastAttempt });
      } catch (error) {
        outcome = 'failed';
        this.logger.warn({ job: name, payload, attempt, err: error }, 'job failed');
        throw error;
      } finally {
        const seconds = (performance.now() - startedAt) / 1_000;
        this.metrics.jobSeconds.observe({ job: name, outcome }, seconds);
        this.logger.debug({ job: name, payload, attempt, outcome, seconds }, 'job ended');
      }
    });
  }
}
