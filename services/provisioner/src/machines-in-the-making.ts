import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '#libs/kernel';
import { CLOCK } from '#libs/telemetry';

/** Lets a desktop that was given up end the making of its machine, which may hang. */
@Injectable()
export class MachinesInTheMaking {
  private readonly makings = new Map<
    string,
    { readonly controller: AbortController; readonly end: Promise<unknown> }
  >();

  constructor(@Inject(CLOCK) private readonly clock: Clock) {}

  /** Runs `make` with a signal that aborts after `timeoutMs` or when the desktop is given up. */
  async during<T>(desktopId: string, timeoutMs: number, make: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const ended = new AbortController();
    const late = () => controller.abort(new Error(`not made within ${timeoutMs} ms`));
    this.clock.sleep(timeoutMs, ended.signal).then(late, () => undefined);
    const making = make(controller.signal);
    const entry = { controller, end: making.catch(() => undefined) };
    this.makings.set(desktopId, entry);
    try {
      return await making;
    } finally {
      ended.abort();
      if (this.makings.get(desktopId) === entry) this.makings.delete(desktopId);
    }
  }

  abort(desktopId: string): void {
    this.makings.get(desktopId)?.controller.abort(new Error('the desktop was given up'));
  }

  /** Ends the making of all machines, and settles when each was cleared away or finished. */
  async abortAll(): Promise<void> {
    const makings = [...this.makings.values()];
    for (const { controller } of makings) controller.abort(new Error('Goldleaf ends'));
    await Promise.all(makings.map(({ end }) => end));
  }
}
