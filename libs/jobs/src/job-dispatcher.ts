import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { currentCorrelationId, LOGGER, newCorrelationId } from '#libs/telemetry';
import { type JobDefinition, type JobName, type JobPayload, jobDefinitions, queueName } from './job-definitions.js';

/** Injection token: the Redis connection that jobs are added over. */
export const JOBS_REDIS = Symbol('goldleaf.jobs.redis');

export interface EnqueueOptions {
  /** Needed for jobs of scope `host`. */
  readonly host?: string;
  readonly delayMs?: number;
  /** Of what led to the job; that of the caller when absent. */
  readonly correlationId?: string | undefined;
}

/** What those who add jobs need of the dispatcher. */
export type JobSink = Pick<JobDispatcher, 'enqueue'>;

/** Adds jobs. Call it after the commit of what the job is about. */
@Injectable()
export class JobDispatcher implements OnApplicationShutdown {
  private readonly queues = new Map<string, Queue>();

  constructor(
    @Inject(JOBS_REDIS) private readonly redis: Redis,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Never rejects: a job that cannot be added is logged; the reconcilers find the work from the rows. */
  async enqueue<Name extends JobName>(
    name: Name,
    payload: JobPayload<Name>,
    options: EnqueueOptions = {},
  ): Promise<void> {
    const definition = jobDefinitions[name] as JobDefinition;
    if ((definition.scope === 'host') !== (options.host !== undefined)) throw new Error(`${name}: wrong scope`);
    const envelope = { correlationId: options.correlationId ?? currentCorrelationId() ?? newCorrelationId(), payload };
    const jobId = definition.dedupe?.(payload);
    const latest = definition.latest?.(payload);
    try {
      await this.queue(queueName(name, options.host)).add(name, envelope, {
        attempts: definition.attempts,
        backoff: { type: 'exponential', delay: definition.backoffMs },
        removeOnComplete: true,
        removeOnFail: true,
        ...(latest === undefined ? {} : { deduplication: deduplicationOf(latest, options.delayMs) }),
        ...(jobId === undefined ? {} : { jobId }),
        ...(options.delayMs === undefined ? {} : { delay: options.delayMs }),
      });
    } catch (error) {
      this.logger.warn({ job: name, err: error }, 'job was not added');
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.allSettled([...this.queues.values()].map((queue) => queue.close()));
    this.redis.disconnect();
  }

  private queue(name: string): Queue {
    let queue = this.queues.get(name);
    if (!queue) {
      queue = new Queue(name, { connection: this.redis, prefix: 'goldleaf:jobs', skipWaitingForReady: true });
      queue.on('error', (error) => this.logger.warn({ err: error, queue: name }, 'job queue'));
      this.queues.set(name, queue);
    }
    return queue;
  }
}

/** A delayed job keeps others of its kind back that are delayed too, but not those that are wanted now. */
const deduplicationOf = (id: string, delayMs: number | undefined) =>
  delayMs === undefined ? { id, keepLastIfActive: true } : { id: `later-${id}`, ttl: delayMs };
