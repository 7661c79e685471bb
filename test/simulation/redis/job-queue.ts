import type { SimProcess } from '../engine/sim-process.js';
import type { Timer } from '../engine/timers.js';

/** A job as it lies in Redis. */
export interface Job {
  readonly queue: string;
  readonly name: string;
  readonly payload: unknown;
  readonly attempts: number;
  readonly backoffMs: number;
  readonly jobId: string | undefined;
  readonly deduplication: Deduplication | undefined;
  state: 'waiting' | 'delayed' | 'active';
  attemptsMade: number;
  stalledCount: number;
  /** Changes with each delivery: who reports with an older one has lost the job. */
  lock: number;
  /** Its worker ended it while Redis was away: nobody renews its lock. */
  isForgotten: boolean;
  /** Looks for the worker when the lock runs out. */
  watch?: Timer;
}

export interface Deduplication {
  readonly id: string;
  /** One more is added when the active one ends, if it was asked for meanwhile. */
  readonly keepLastIfActive: boolean;
}

export type Perform = (payload: unknown, attempt: { number: number; isLast: boolean }) => Promise<void>;

/** One process taking jobs from one queue. */
export interface Worker {
  readonly process: SimProcess;
  readonly concurrency: number;
  readonly perform: Perform;
  active: number;
  isFetching: boolean;
}

/** One BullMQ queue, with removeOnComplete and removeOnFail. */
export class JobQueue {
  readonly waiting: Job[] = [];
  /** All that are in Redis, waiting, delayed or active. */
  readonly jobs = new Set<Job>();
  readonly workers: Worker[] = [];
  /** By the id of their deduplication: what is added when the active job ends. */
  readonly following = new Map<string, Job>();

  constructor(readonly name: string) {}

  /** @returns the job that does the same and was there before */
  twin(job: Pick<Job, 'jobId' | 'deduplication'>): Job | undefined {
    for (const other of this.jobs) {
      if (job.jobId !== undefined && other.jobId === job.jobId) return other;
      if (job.deduplication !== undefined && other.deduplication?.id === job.deduplication.id) return other;
    }
    return undefined;
  }

  flush(): void {
    this.waiting.length = 0;
    this.jobs.clear();
    this.following.clear();
  }
}
