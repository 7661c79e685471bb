import { Injectable } from '@nestjs/common';
import { type JobName, type JobPayload, jobNames } from './job-definitions.js';

export interface JobContext {
  readonly correlationId: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** No attempt follows when this one fails. */
  readonly isLastAttempt: boolean;
}

export type JobHandler<Name extends JobName> = (payload: JobPayload<Name>, context: JobContext) => Promise<void>;

/** Which function does which job. */
@Injectable()
export class JobRegistry {
  private readonly handlers = new Map<JobName, JobHandler<JobName>>();

  /** @throws Error when the job has a handler already */
  handle<Name extends JobName>(name: Name, handler: JobHandler<Name>): void {
    if (this.handlers.has(name)) throw new Error(`job ${name} has two handlers`);
    this.handlers.set(name, handler as unknown as JobHandler<JobName>);
  }

  handlerOf(name: JobName): JobHandler<JobName> {
    const handler = this.handlers.get(name);
    if (!handler) throw new Error(`job ${name} has no handler`);
    return handler;
  }

  /** Fails the boot when a job would be left lying. @throws Error naming the jobs without handler */
  assertComplete(): void {
    const missing = jobNames.filter((name) => !this.handlers.has(name));
    if (missing.length > 0) throw new Error(`jobs without a handler: ${missing.join(', ')}`);
  }
}
