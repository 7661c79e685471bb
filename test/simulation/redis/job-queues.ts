import type { Random } from '../engine/random.js';
import type { Scheduler } from '../engine/scheduler.js';
import type { SimProcess } from '../engine/sim-process.js';
import type { Tally } from '../report/tally.js';
import { type Job, JobQueue, type Perform, type Worker } from './job-queue.js';

/** As `JobWorkers` sets them. */
const LOCK_MS = 10_000;
const STALLED_INTERVAL_MS = LOCK_MS / 2;
const MAX_STALLED = 5;

export type NewJob = Omit<Job, 'state' | 'attemptsMade' | 'stalledCount' | 'lock' | 'isForgotten' | 'watch'> & {
  readonly delayMs: number;
};

export interface JobFaults {
  /** Rates: a job vanishes on its way, is given to two workers, waits for no reason. */
  readonly lost: number;
  readonly doubled: number;
  readonly late: number;
}

/**
 * BullMQ as libs/jobs uses it: concurrency, attempts with exponential back-off, deduplication, and jobs of a worker that
 * is gone, given to another when its lock has run out. Redis may be away, and may come back empty.
 */
export class JobQueues {
  isAway = false;
  faults: JobFaults = { lost: 0, doubled: 0, late: 0 };
  private readonly queues = new Map<string, JobQueue>();

  constructor(
    private readonly scheduler: Scheduler,
    private readonly random: Random,
    private readonly tally: Tally,
  ) {}

  /** Is dropped while Redis is away. */
  add({ delayMs, ...job }: NewJob): void {
    const fate = this.fateOfNew();
    if (fate) {
      this.tally.count(fate);
      return;
    }
    const added: Job = { ...job, state: 'waiting', attemptsMade: 0, stalledCount: 0, lock: 0, isForgotten: false };
    const queue = this.queue(job.queue);
    const twin = queue.twin(added);
    if (twin) this.deduplicate(queue, twin, added);
    else this.put(queue, added, delayMs);
  }

  private fateOfNew(): string | undefined {
    if (this.isAway) return 'job dropped: Redis away';
    return this.random.chance(this.faults.lost) ? 'job lost' : undefined;
  }

  private put(queue: JobQueue, added: Job, delayMs: number): void {
    queue.jobs.add(added);
    if (this.random.chance(this.faults.late)) {
      this.tally.count('job late');
      this.delay(queue, added, delayMs + this.random.between(500, 20_000));
    } else if (delayMs > 0) this.delay(queue, added, delayMs);
    else this.enqueue(queue, added);
  }

  /** The process takes jobs of the queue until it ends. */
  work(process: SimProcess, queueName: string, concurrency: number, perform: Perform): void {
    const queue = this.queue(queueName);
    const worker: Worker = { process, concurrency, perform, active: 0, isFetching: false };
    queue.workers.push(worker);
    process.onEnd(() => queue.workers.splice(queue.workers.indexOf(worker), 1));
    this.wake(queue);
  }

  leave(): void {
    this.isAway = true;
  }

  /** @param isEmpty whether all jobs are lost */
  comeBack(isEmpty: boolean): void {
    this.isAway = false;
    for (const queue of this.queues.values()) {
      if (isEmpty) queue.flush();
      this.wake(queue);
    }
  }

  /** A job is handed out again although its worker is still at it, as after a long stop of its process. */
  stallOne(): boolean {
    const active = [...this.queues.values()].flatMap((queue) =>
      [...queue.jobs].filter(({ state }) => state === 'active'),
    );
    if (active.length === 0) return false;
    const job = this.random.pick(active);
    this.giveToAnother(this.queue(job.queue), job, 'job handed out twice');
    return true;
  }

  /** Nothing waits, is delayed or is being done. */
  get isIdle(): boolean {
    return [...this.queues.values()].every((queue) => queue.jobs.size === 0);
  }

  private queue(name: string): JobQueue {
    let queue = this.queues.get(name);
    if (!queue) {
      queue = new JobQueue(name);
      this.queues.set(name, queue);
    }
    return queue;
  }

  private deduplicate(queue: JobQueue, twin: Job, added: Job): void {
    this.tally.count('job deduplicated');
    if (added.deduplication?.keepLastIfActive && twin.state === 'active') {
      queue.following.set(added.deduplication.id, added);
    }
  }

  private enqueue(queue: JobQueue, job: Job): void {
    job.state = 'waiting';
    queue.waiting.push(job);
    this.wake(queue);
  }

  private delay(queue: JobQueue, job: Job, ms: number): void {
    job.state = 'delayed';
    this.scheduler.after(null, ms, 'job due', () => {
      if (queue.jobs.has(job) && job.state === 'delayed') this.enqueue(queue, job);
    });
  }

  /** Lets every worker that is free reach for the next job; chance decides who gets it. */
  private wake(queue: JobQueue): void {
    if (this.isAway || queue.waiting.length === 0) return;
    for (const worker of queue.workers) {
      if (worker.isFetching || worker.active >= worker.concurrency) continue;
      worker.isFetching = true;
      this.scheduler.later(worker.process, 'takes a job', queue.name, () => {
        worker.isFetching = false;
        if (this.isAway) return;
        const job = queue.waiting.shift();
        if (job) this.start(queue, worker, job);
        this.wake(queue);
      });
    }
  }

  private start(queue: JobQueue, worker: Worker, job: Job): void {
    job.state = 'active';
    job.lock += 1;
    job.isForgotten = false;
    worker.active += 1;
    const { lock } = job;
    this.watch(queue, worker, job, lock);
    const number = job.attemptsMade + 1;
    worker.perform(job.payload, { number, isLast: number >= job.attempts }).then(
      () => this.report(queue, worker, job, lock, true),
      () => this.report(queue, worker, job, lock, false),
    );
    if (this.random.chance(this.faults.doubled)) this.giveToAnother(queue, job, 'job handed out twice');
  }

  private report(queue: JobQueue, worker: Worker, job: Job, lock: number, isDone: boolean): void {
    this.scheduler.later(worker.process, isDone ? 'job is done' : 'job has failed', queue.name, () => {
      worker.active -= 1;
      const isOurs = queue.jobs.has(job) && job.lock === lock && job.state === 'active';
      // Redis away or the lock lost: nobody hears of it, and the job is done again.
      if (isOurs && this.isAway) job.isForgotten = true;
      else if (isOurs) this.finish(queue, job, isDone);
      this.wake(queue);
    });
  }

  private finish(queue: JobQueue, job: Job, isDone: boolean): void {
    if (job.watch) job.watch.isCancelled = true;
    job.attemptsMade += 1;
    if (!isDone && job.attemptsMade < job.attempts) {
      this.tally.count('job retried');
      this.delay(queue, job, job.backoffMs * 2 ** (job.attemptsMade - 1));
      return;
    }
    this.remove(queue, job);
  }

  private remove(queue: JobQueue, job: Job): void {
    queue.jobs.delete(job);
    const id = job.deduplication?.id;
    const following = id === undefined ? undefined : queue.following.get(id);
    if (id === undefined || !following) return;
    queue.following.delete(id);
    queue.jobs.add(following);
    this.enqueue(queue, following);
  }

  /** Looks whether the worker is still there to renew the lock; a worker that is gone or stands still loses the job. */
  private watch(queue: JobQueue, worker: Worker, job: Job, lock: number): void {
    const lookMs = LOCK_MS + this.random.below(STALLED_INTERVAL_MS);
    job.watch = this.scheduler.after(null, lookMs, 'looks for stalled jobs', () => {
      if (!queue.jobs.has(job) || job.lock !== lock || job.state !== 'active') return;
      if (worker.process.state === 'running' && !job.isForgotten) return this.watch(queue, worker, job, lock);
      this.giveToAnother(queue, job, 'stalled job handed out again');
    });
  }

  private giveToAnother(queue: JobQueue, job: Job, what: string): void {
    this.tally.count(what);
    job.lock += 1;
    job.stalledCount += 1;
    if (job.stalledCount > MAX_STALLED) this.remove(queue, job);
    else this.enqueue(queue, job);
  }
}
