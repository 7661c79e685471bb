import type { Logger } from 'pino';
import type { MachineExit } from '../machine.js';

/** Tells listeners of machines that ended: each once, and kept for the first listener while there is none. */
export class ExitAnnouncer {
  private readonly listeners = new Set<(exit: MachineExit) => void>();
  private untold: MachineExit[] = [];

  constructor(private readonly logger: Logger) {}

  announce(exit: MachineExit): void {
    if (this.listeners.size === 0) this.untold.push(exit);
    for (const listener of this.listeners) this.tell(listener, exit);
  }

  subscribe(listener: (exit: MachineExit) => void): () => void {
    this.listeners.add(listener);
    const untold = this.untold;
    this.untold = [];
    queueMicrotask(() => {
      for (const exit of untold) this.tell(listener, exit);
    });
    return () => void this.listeners.delete(listener);
  }

  private tell(listener: (exit: MachineExit) => void, exit: MachineExit): void {
    try {
      listener(exit);
    } catch (error) {
      this.logger.error({ err: error, machineId: exit.machineId }, 'a listener for machine exits failed');
    }
  }
}
