import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '#libs/kernel';
import { CLOCK } from '#libs/telemetry';

interface Making {
  readonly controller: AbortController;
  readonly result: Promise<unknown>;
}

/** Orders are repeated within minutes, if at all; older ones need not be remembered. */
const REMEMBERED = 5_000;

/**
 * Makes each machine once, however often its order arrives, and lets a desktop that was given up end the making of its
 * machine, which may hang. An order that arrives late never brings a machine to life again.
 */
@Injectable()
export class MachinesInTheMaking {
  private readonly makings = new Map<string, Making>();
  private readonly past = new Map<string, 'made' | 'given-up'>();

  constructor(@Inject(CLOCK) private readonly clock: Clock) {}

  /**
   * Runs `make` with a signal that aborts after `timeoutMs` or when the desktop is given up. While a making of the same
   * desktop is under way its result is shared.
   * @param make `wasMade`: the machine was made before and may only be waited for, not created
   * @throws what `make` does; Error when the desktop was given up before
   */
  during<T>(
    desktopId: string,
    timeoutMs: number,
    make: (signal: AbortSignal, wasMade: boolean) => Promise<T>,
  ): Promise<T> {
    const underWay = this.makings.get(desktopId);
    if (underWay) return underWay.result as Promise<T>;
    const past = this.past.get(desktopId);
    if (past === 'given-up') return Promise.reject(new Error('the desktop was given up'));
    const controller = new AbortController();
    const result = this.limited(controller, timeoutMs, make(controller.signal, past === 'made')).then(
      (made) => {
        this.end(desktopId, 'made');
        return made;
      },
      (error: unknown) => {
        this.end(desktopId, 'given-up');
        throw error;
      },
    );
    this.makings.set(desktopId, { controller, result });
    return result;
  }

  abort(desktopId: string): void {
    this.remember(desktopId, 'given-up');
    this.makings.get(desktopId)?.controller.abort(new Error('the desktop was given up'));
  }

  /** Ends the making of all machines, and settles when each was cleared away or finished. */
  async abortAll(): Promise<void> {
    const makings = [...this.makings.values()];
    for (const { controller } of makings) controller.abort(new Error('Goldleaf ends'));
    await Promise.allSettled(makings.map(({ result }) => result));
  }

  private async limited<T>(controller: AbortController, timeoutMs: number, making: Promise<T>): Promise<T> {
    const ended = new AbortController();
    const late = () => controller.abort(new Error(`not made within ${timeoutMs} ms`));
    this.clock.sleep(timeoutMs, ended.signal).then(late, () => undefined);
    try {
      return await making;
    } finally {
      ended.abort('ended');
    }
  }

  private end(desktopId: string, outcome: 'made' | 'given-up'): void {
    this.makings.delete(desktopId);
    if (this.past.get(desktopId) !== 'given-up') this.remember(desktopId, outcome);
  }

  private remember(desktopId: string, outcome: 'made' | 'given-up'): void {
    this.past.delete(desktopId);
    this.past.set(desktopId, outcome);
    const [oldest] = this.past.keys();
    if (this.past.size > REMEMBERED && oldest !== undefined) this.past.delete(oldest);
  }
}
