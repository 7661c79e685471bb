import { describe, expect, it } from '@jest/globals';
import { Random } from '../engine/random.js';
import { Scheduler } from '../engine/scheduler.js';
import { SimProcess } from '../engine/sim-process.js';
import { Trace } from '../engine/trace.js';
import { Tally } from '../report/tally.js';
import { JobQueues, type NewJob } from './job-queues.js';

const job: NewJob = {
  queue: 'q',
  name: 'n',
  payload: 'p',
  attempts: 1,
  backoffMs: 0,
  jobId: undefined,
  deduplication: undefined,
  delayMs: 0,
};

function setUp() {
  const random = new Random(7);
  const scheduler = new Scheduler({ random, trace: new Trace(10, 0), startMs: 0, earlyTimer: 0, runOn: 0 });
  const queues = new JobQueues(scheduler, random, new Tally());
  const started: unknown[] = [];
  const worker = (name: string, concurrency: number, durationMs: number, fails = 0) => {
    const process = new SimProcess(name);
    let failuresLeft = fails;
    queues.work(process, 'q', concurrency, async (payload, attempt) => {
      started.push([name, payload, attempt.number, attempt.isLast, scheduler.nowMs]);
      await scheduler.sleep(process, durationMs, 'works');
      failuresLeft -= 1;
      if (failuresLeft >= 0) throw new Error('told to fail');
    });
    return process;
  };
  const runFor = (ms: number) => {
    const untilMs = scheduler.nowMs + ms;
    let isOver = false;
    scheduler.after(null, ms, 'end', () => {
      isOver = true;
    });
    return scheduler.run(() => isOver && scheduler.nowMs >= untilMs, 10_000);
  };
  return { scheduler, queues, started, worker, runFor };
}

describe('JobQueues', () => {
  it('does no more at a time than a worker may', async () => {
    const { queues, started, worker, runFor } = setUp();
    worker('w', 2, 100);
    for (const payload of [1, 2, 3]) queues.add({ ...job, payload });
    await runFor(50);
    expect(started.length).toBe(2);
    await runFor(100);
    expect(started.length).toBe(3);
  });

  it('tries again, waiting twice as long each time', async () => {
    const { queues, started, worker, runFor } = setUp();
    worker('w', 1, 0, 3);
    queues.add({ ...job, attempts: 3, backoffMs: 500 });
    await runFor(60_000);
    expect(started).toEqual([
      ['w', 'p', 1, false, 0],
      ['w', 'p', 2, false, 500],
      ['w', 'p', 3, true, 1_500],
    ]);
    expect(queues.isIdle).toBe(true);
  });

  it('adds no job whose id is there, and adds it again once that one is done', async () => {
    const { queues, started, worker, runFor } = setUp();
    worker('w', 2, 100);
    queues.add({ ...job, jobId: 'j' });
    queues.add({ ...job, jobId: 'j' });
    await runFor(50);
    queues.add({ ...job, jobId: 'j' });
    await runFor(100);
    expect(started.length).toBe(1);
    queues.add({ ...job, jobId: 'j' });
    await runFor(100);
    expect(started.length).toBe(2);
  });

  it('keeps the latest of those that come while one is active', async () => {
    const { queues, started, worker, runFor } = setUp();
    worker('w', 2, 100);
    const deduplication = { id: 'd', keepLastIfActive: true };
    queues.add({ ...job, deduplication });
    await runFor(50);
    for (const payload of ['x', 'y']) queues.add({ ...job, payload, deduplication });
    await runFor(300);
    expect(started.map((each) => (each as unknown[])[1])).toEqual(['p', 'y']);
  });

  it('gives the job of a worker that is gone to another when its lock has run out', async () => {
    const { scheduler, queues, started, worker, runFor } = setUp();
    const first = worker('first', 1, 100_000);
    queues.add(job);
    await runFor(10);
    worker('second', 1, 10);
    scheduler.kill(first);
    await runFor(9_000);
    expect(started.length).toBe(1);
    await runFor(7_000);
    expect(started[1]).toEqual(['second', 'p', 1, true, expect.any(Number)]);
    expect(queues.isIdle).toBe(true);
  });

  it('leaves a job alone whose worker is only slow', async () => {
    const { queues, started, worker, runFor } = setUp();
    worker('w', 2, 60_000);
    queues.add(job);
    await runFor(70_000);
    expect(started.length).toBe(1);
    expect(queues.isIdle).toBe(true);
  });

  it('drops jobs while Redis is away, does those again whose end it did not hear of, and loses all when it was emptied', async () => {
    const { queues, started, worker, runFor } = setUp();
    worker('w', 1, 100);
    queues.add(job);
    await runFor(50);
    queues.leave();
    queues.add({ ...job, payload: 'dropped' });
    await runFor(100);
    queues.comeBack(false);
    await runFor(20_000);
    expect(started.map((each) => (each as unknown[])[1])).toEqual(['p', 'p']);
    queues.add({ ...job, delayMs: 1_000 });
    queues.leave();
    queues.comeBack(true);
    await runFor(20_000);
    expect(started.length).toBe(2);
  });
});
