import type { Logger } from 'pino';
import { newCorrelationId, runWithCorrelation } from '#libs/telemetry';

export interface Reconciler {
  run(): Promise<void>;
}

/** Runs reconcilers one after another, again and again. One that fails does not keep the others from running. */
export class ReconcilerLoop {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private stopped = false;

  constructor(
    private readonly reconcilers: Readonly<Record<string, Reconciler>>,
    private readonly intervalMs: number,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.schedule(this.intervalMs);
  }

  /** Ends the loop after the round under way. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  /** One round. */
  async runOnce(): Promise<void> {
    for (const [name, reconciler] of Object.entries(this.reconcilers)) {
      if (this.stopped) return;
      try {
        await runWithCorrelation(newCorrelationId(), () => reconciler.run());
      } catch (error) {
        this.logger.warn({ err: error, reconciler: name }, 'a reconciler failed; it runs again shortly');
      }
    }
  }

  private schedule(delayMs: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.runOnce().finally(() => this.schedule(this.intervalMs));
    }, delayMs);
  }
}
