import {
  type EnqueueOptions,
  type JobDefinition,
  type JobName,
  type JobPayload,
  jobDefinitions,
  queueName,
} from '#libs/jobs';
import type { Scheduler } from '../engine/scheduler.js';
import type { SimProcess } from '../engine/sim-process.js';
import type { JobQueues } from '../redis/job-queues.js';

/** What `JobDispatcher` does, over the modelled queues. */
export class JobDesk {
  constructor(
    private readonly queues: JobQueues,
    private readonly scheduler: Scheduler,
    private readonly process: SimProcess | null,
  ) {}

  async enqueue<Name extends JobName>(
    name: Name,
    payload: JobPayload<Name>,
    { host, delayMs }: EnqueueOptions = {},
  ): Promise<void> {
    const definition: JobDefinition = jobDefinitions[name];
    await this.scheduler.turn(this.process, `enqueue ${name}`, Object.values(payload).join(' '));
    const latest = delayMs === undefined ? definition.latest?.(payload) : undefined;
    this.queues.add({
      queue: queueName(name, host),
      name,
      payload,
      attempts: definition.attempts,
      backoffMs: definition.backoffMs,
      jobId: definition.dedupe?.(payload),
      deduplication: latest === undefined ? undefined : { id: latest, keepLastIfActive: true },
      delayMs: delayMs ?? 0,
    });
  }
}
