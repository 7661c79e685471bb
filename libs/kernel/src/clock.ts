import { setTimeout as wait } from 'node:timers/promises';

/** Time as the domain sees it, so that tests can hold it still. */
export interface Clock {
  now(): Date;

  /**
   * Resolves when so much time has passed; nothing and less than nothing pass at once.
   * @param keepsAlive whether the process waits for it; true unless told otherwise
   * @throws the signal's reason
   */
  sleep(ms: number, signal?: AbortSignal, keepsAlive?: boolean): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  sleep: async (ms, signal, keepsAlive = true) => {
    try {
      await wait(Math.max(0, ms), undefined, { signal, ref: keepsAlive });
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    }
  },
};

interface Sleeper {
  readonly wakesAt: number;
  readonly wake: () => void;
}

/** A clock that moves only when told to. */
export class ManualClock implements Clock {
  /** By the time at which they wake; those of one time in the order in which they went to sleep. */
  private sleepers: Sleeper[] = [];

  constructor(private time = new Date('2026-01-01T00:00:00Z')) {}

  now(): Date {
    return new Date(this.time);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (ms <= 0) return resolve();
      const onAbort = () => {
        this.sleepers = this.sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason);
      };
      const sleeper = {
        wakesAt: this.time.getTime() + ms,
        wake: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      const next = this.sleepers.findIndex((other) => other.wakesAt > sleeper.wakesAt);
      this.sleepers.splice(next < 0 ? this.sleepers.length : next, 0, sleeper);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** When the next sleeper wakes, so that a simulation can advance from one to the next; undefined when nobody sleeps. */
  nextWake(): Date | undefined {
    const [next] = this.sleepers;
    return next && new Date(next.wakesAt);
  }

  /** Wakes those whose time has come, in its order; they run after the caller, and see the time as it is then. */
  advance(ms: number): void {
    this.time = new Date(this.time.getTime() + ms);
    for (let next = this.sleepers[0]; next && next.wakesAt <= this.time.getTime(); next = this.sleepers[0]) {
      this.sleepers.shift();
      next.wake();
    }
  }
}
