import { Injectable } from '@nestjs/common';

/** Lets a desktop that was given up end the making of its machine, which may hang. */
@Injectable()
export class MachinesInTheMaking {
  private readonly controllers = new Map<string, AbortController>();

  /** Runs `make` with a signal that aborts after `timeoutMs` or when the desktop is given up. */
  async during<T>(desktopId: string, timeoutMs: number, make: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    this.controllers.set(desktopId, controller);
    try {
      return await make(AbortSignal.any([controller.signal, AbortSignal.timeout(timeoutMs)]));
    } finally {
      this.controllers.delete(desktopId);
    }
  }

  abort(desktopId: string): void {
    this.controllers.get(desktopId)?.abort(new Error('the desktop was given up'));
  }
}
