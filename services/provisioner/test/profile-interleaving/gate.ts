import { waitFor } from '#libs/kernel';
import type { Random } from '../../../../test/simulation/engine/random.js';
import type { Scheduler } from '../../../../test/simulation/engine/scheduler.js';
import type { SimProcess } from '../../../../test/simulation/engine/sim-process.js';

/** What calls reject with whose process died, once their run is over and they may go. */
export class RunOver extends Error {}

/** What leaves one process: each call waits for its turn on the way there, and its answer on the way back. */
export class Gate {
  private readonly waiting = new Set<(error: Error) => void>();
  private readonly sent = new Set<{ isLost: boolean }>();
  private isOver = false;

  constructor(
    private readonly scheduler: Scheduler,
    private readonly process: SimProcess,
    private readonly random: Random,
  ) {}

  /** Over the network: what was sent may arrive after the death of its process. */
  far<T>(what: string, effect: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return waitFor(this.call(null, what, effect), signal);
  }

  /** To the hypervisor of this host: what was not begun is not done when the process dies. */
  near<T>(what: string, effect: () => Promise<T>): Promise<T> {
    return this.call(this.process, what, effect);
  }

  /** `kill -9`: no answer comes any more, and half of what is on its way does not arrive. */
  kill(): void {
    for (const request of this.sent) request.isLost = this.random.chance(0.5);
    this.scheduler.kill(this.process);
  }

  /** The run is over: whoever waits for an answer may go, without any effect. */
  end(): void {
    this.isOver = true;
    for (const reject of this.waiting) reject(new RunOver());
  }

  private call<T>(carrier: SimProcess | null, what: string, effect: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.isOver) return reject(new RunOver());
      this.waiting.add(reject);
      const request = { isLost: this.process.state === 'dead' };
      this.sent.add(request);
      const answer = (go: () => void) => {
        this.scheduler.later(this.process, `${what} answered`, '', () => {
          this.waiting.delete(reject);
          go();
        });
      };
      this.scheduler.later(carrier, what, `by ${this.process.name}${request.isLost ? ', lost' : ''}`, () => {
        this.sent.delete(request);
        if (request.isLost || this.isOver) return;
        effect().then(
          (value) => answer(() => resolve(value)),
          (error: unknown) => answer(() => reject(error)),
        );
      });
    });
  }
}

/** The same object, of which these methods are called by `call`. */
export function through<T extends object>(
  target: T,
  names: readonly (keyof T & string)[],
  call: (name: string, args: readonly unknown[], effect: () => Promise<unknown>) => Promise<unknown>,
): T {
  return new Proxy(target, {
    get: (_, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      if (!(names as readonly (string | symbol)[]).includes(name)) return member.bind(target);
      return (...args: unknown[]) => call(String(name), args, () => member.apply(target, args));
    },
  });
}
