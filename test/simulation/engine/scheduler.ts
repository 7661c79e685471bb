import type { Random } from './random.js';
import type { SimProcess } from './sim-process.js';
import { type Timer, Timers } from './timers.js';
import type { Trace } from './trace.js';

interface Step {
  readonly process: SimProcess | null;
  readonly what: string;
  readonly about: string;
  readonly go: () => void;
}

export interface SchedulerOptions {
  readonly random: Random;
  readonly trace: Trace;
  readonly startMs: number;
  readonly earlyTimer: number;
  /** How often the step is taken that was parked last, so that one piece of work runs on by itself. */
  readonly runOn: number;
}

const settled = Promise.resolve();
const LONGEST_STEP_MS = 4_000;

/** Thrown out of `run` when too much happens: a loop in the program, or in the simulation. */
export class TooManySteps extends Error {}

/**
 * All concurrency of a run: everything that could go on is parked here, and one thing goes on at a time, chosen by
 * chance. Virtual time moves to the next timer when nothing can go on.
 */
export class Scheduler {
  steps = 0;
  nowMs: number;
  /** How often a step takes a while although nothing is wrong: a slow statement, a busy network. */
  slowness = 0;
  /** How often a timer falls due although something else could run: the others are late then. */
  earlyTimer: number;
  /** Asked before a step of a process is taken; false when the process was ended instead. */
  beforeStep: (process: SimProcess, what: string) => boolean = () => true;
  /** Called when all has come to rest after a step. */
  afterStep: () => void = () => undefined;
  private readonly timers = new Timers();
  private runnable: Step[] = [];
  private readonly held = new Map<SimProcess, Step[]>();
  private failure: { readonly error: unknown } | undefined;

  constructor(private readonly options: SchedulerOptions) {
    this.nowMs = options.startMs;
    this.earlyTimer = options.earlyTimer;
  }

  /** Parks the caller until it is its turn. For ever when its process ends meanwhile. */
  turn(process: SimProcess | null, what: string, about = ''): Promise<void> {
    return new Promise((resolve) => this.later(process, what, about, resolve));
  }

  /** Has `go` called when it is its turn. */
  later(process: SimProcess | null, what: string, about: string, go: () => void): void {
    if (process?.state === 'dead') return;
    const step = { process, what, about, go };
    if (this.options.random.chance(this.slowness)) {
      const ms = this.options.random.between(1, LONGEST_STEP_MS);
      this.timers.add({ atMs: this.nowMs + ms, process, what: `(slow) ${what}`, fire: go });
    } else this.park(step);
  }

  private park(step: Step): void {
    const { process } = step;
    const waiting = process && this.held.get(process);
    if (waiting) waiting.push(step);
    else this.runnable.push(step);
  }

  /** Has `fire` called, as a step, when so much time has passed. */
  after(process: SimProcess | null, ms: number, what: string, fire: () => void): Timer {
    return this.timers.add({ atMs: this.nowMs + Math.max(0, ms), process, what, fire });
  }

  sleep(process: SimProcess | null, ms: number, what: string): Promise<void> {
    return new Promise((resolve) => this.after(process, ms, what, resolve));
  }

  note(who: string, what: string, about = ''): void {
    this.options.trace.add({ step: this.steps, atMs: this.nowMs, who, what, about });
  }

  kill(process: SimProcess): void {
    this.held.delete(process);
    process.die();
    this.runnable = this.runnable.filter((step) => step.process !== process);
  }

  /** The process gets no processor until `resume`. */
  pause(process: SimProcess): void {
    if (process.state !== 'running') return;
    process.state = 'paused';
    this.held.set(
      process,
      this.runnable.filter((step) => step.process === process),
    );
    this.runnable = this.runnable.filter((step) => step.process !== process);
  }

  resume(process: SimProcess): void {
    if (process.state !== 'paused') return;
    process.state = 'running';
    this.runnable.push(...(this.held.get(process) ?? []));
    this.held.delete(process);
  }

  /** Ends the run with this error. */
  fail(error: unknown): void {
    this.failure ??= { error };
  }

  /** Runs until `isDone`, which is asked after each step. @throws what `fail` was called with, TooManySteps */
  run(isDone: () => boolean, maxSteps: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const whenAllRests = () => process.nextTick(next);
      const next = (): void => {
        try {
          if (this.goOn(isDone, maxSteps)) void settled.then(whenAllRests);
          else resolve();
        } catch (error) {
          reject(error);
        }
      };
      process.nextTick(next);
    });
  }

  /**
   * Called when all has come to rest: a tick that was asked for by a microtask comes when no microtask is left.
   * @returns false when the run is over
   */
  private goOn(isDone: () => boolean, maxSteps: number): boolean {
    this.afterStep();
    if (this.failure) throw this.failure.error;
    if (isDone()) return false;
    if (this.steps >= maxSteps) throw new TooManySteps(`still at it after ${maxSteps} steps`);
    if (!this.takeStep()) throw new Error('nothing can go on, and no timer is left');
    return true;
  }

  private takeStep(): boolean {
    const { random } = this.options;
    if (this.runnable.length === 0 || random.chance(this.earlyTimer)) {
      const timer = this.timers.take();
      if (timer) {
        this.fireWithOthersDue(timer);
        return true;
      }
    }
    const step = this.takeRunnable();
    if (!step) return false;
    this.steps += 1;
    if (step.process && !this.beforeStep(step.process, step.what)) return true;
    this.note(step.process?.name ?? 'world', step.what, step.about);
    step.go();
    return true;
  }

  /** Timers of one moment race each other, so all of them become steps. */
  private fireWithOthersDue(first: Timer): void {
    this.nowMs = Math.max(this.nowMs, first.atMs);
    for (let timer: Timer | undefined = first; timer; timer = this.timers.take()) {
      const due = timer;
      const go = () => {
        if (!due.isCancelled) due.fire();
      };
      this.park({ process: due.process, what: due.what, about: '', go });
      const next = this.timers.peek();
      if (!next || next.atMs > this.nowMs) return;
    }
  }

  private takeRunnable(): Step | undefined {
    const { random, runOn } = this.options;
    const last = this.runnable.length - 1;
    const index = last <= 0 || random.chance(runOn) ? last : random.below(last + 1);
    const step = this.runnable[index];
    const moved = this.runnable.pop();
    if (moved && index < last) this.runnable[index] = moved;
    return step;
  }
}
