import type { Random } from '../engine/random.js';
import type { Scheduler } from '../engine/scheduler.js';
import { SimProcess } from '../engine/sim-process.js';
import type { Tally } from '../report/tally.js';

/** A machine of the data centre on which one process of Goldleaf runs, life after life. */
export class Node {
  /** How wrong its clock is. */
  readonly clockOffset = { ms: 0 };
  process: SimProcess | null = null;
  private lives = 0;

  /**
   * @param boot starts what runs on it; rejects when that could not start
   * @param restartMs longest time until the next life begins
   */
  constructor(
    readonly name: string,
    private readonly scheduler: Scheduler,
    private readonly random: Random,
    private readonly tally: Tally,
    private readonly boot: (process: SimProcess) => Promise<void>,
    private readonly restartMs: number,
  ) {}

  start(): void {
    this.lives += 1;
    const process = new SimProcess(`${this.name}#${this.lives}`);
    this.process = process;
    this.scheduler.note(process.name, 'starts');
    this.boot(process).catch((error: unknown) => {
      if (process.state === 'dead') return;
      this.tally.count('start failed');
      this.crash(`could not start: ${String(error)}`);
    });
  }

  /** Ends its process at this very point; another one follows. */
  crash(why: string): void {
    const { process } = this;
    if (!process || process.state === 'dead') return;
    this.scheduler.note(process.name, `CRASHES (${why})`);
    this.scheduler.kill(process);
    this.process = null;
    this.scheduler.after(null, this.random.between(100, this.restartMs), 'restart', () => this.start());
  }

  pause(ms: number): void {
    const { process } = this;
    if (process?.state !== 'running') return;
    this.scheduler.note(process.name, `stands still for ${ms} ms`);
    this.scheduler.pause(process);
    this.scheduler.after(null, ms, 'goes on', () => this.scheduler.resume(process));
  }
}
