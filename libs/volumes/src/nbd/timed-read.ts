import type { NbdExport } from './nbd-export.js';
import type { NbdLimits } from './nbd-options.js';

export interface TimedReadEnds {
  readonly onBytes: (bytes: Uint8Array) => void;
  /** @param reason for people */
  readonly onError: (reason: string) => void;
}

/**
 * One read of an export's volume with a deadline. Exactly one of its ends is called, later, and none after `cancel`:
 * also when the reader heeds neither its signal nor time.
 */
export class TimedRead {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private over = false;

  constructor(
    private readonly of: NbdExport,
    offset: number,
    private readonly length: number,
    limits: Pick<NbdLimits, 'readTimeoutMs' | 'unendedReads'>,
    private readonly ends: TimedReadEnds,
  ) {
    const { readTimeoutMs, unendedReads } = limits;
    this.timer = setTimeout(() => this.giveUp(`no answer from the store within ${readTimeoutMs} ms`), readTimeoutMs);
    this.ask(offset, unendedReads).then(
      (bytes) => this.settle(() => this.take(bytes)),
      (error: unknown) => this.settle(() => this.ends.onError(error instanceof Error ? error.message : String(error))),
    );
  }

  cancel(): void {
    if (this.over) return;
    this.giveUp(undefined);
  }

  private async ask(offset: number, unendedReads: number): Promise<Uint8Array> {
    if (this.of.unendedReads > unendedReads) throw new Error('the store has stopped answering');
    return this.of.reader.read(offset, this.length, { signal: this.controller.signal });
  }

  private take(bytes: Uint8Array): void {
    // Anything else would shift all that follows in the stream.
    if (bytes.length !== this.length) {
      this.ends.onError(`the store gave ${bytes.length} of ${this.length} bytes`);
      return;
    }
    this.ends.onBytes(bytes);
  }

  private giveUp(reason: string | undefined): void {
    this.over = true;
    clearTimeout(this.timer);
    this.of.readGivenUp();
    this.controller.abort(new Error(reason ?? 'nobody waits for it any more'));
    if (reason !== undefined) this.ends.onError(reason);
  }

  private settle(end: () => void): void {
    if (this.over) {
      this.of.readEndedLate();
      return;
    }
    this.over = true;
    clearTimeout(this.timer);
    end();
  }
}
