import type { Clock } from '#libs/kernel';
import type { Scheduler } from './scheduler.js';
import type { SimProcess } from './sim-process.js';

/** The clock of one node: it may be wrong and may jump. How long a sleep takes does not depend on that. */
export class NodeClock implements Clock {
  constructor(
    private readonly scheduler: Scheduler,
    private readonly offset: { ms: number },
    private readonly process: SimProcess | null,
  ) {}

  now(): Date {
    return new Date(this.scheduler.nowMs + this.offset.ms);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        timer.isCancelled = true;
        reject(signal?.reason);
      };
      const timer = this.scheduler.after(this.process, ms, 'wakes', () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}
