import type { Logger } from 'pino';
import { waitFor } from '#libs/kernel';

/** A store that answers needs less; and what is not served by then is served as soon as it can be. */
const START_PATIENCE_MS = 3_000;

/** What machines of an earlier process read from and what is not served to them yet: tried until it is. */
export class Unserved<T> {
  private missing: readonly T[] = [];
  private underWay: Promise<void> | undefined;

  constructor(
    /** @returns of each whether nothing is left to be done */
    private readonly serve: (missing: readonly T[]) => Promise<readonly boolean[]>,
    private readonly logger: Logger,
  ) {}

  /** Never rejects. A store that does not answer holds it up for moments only: there is more to a provisioner. */
  async begin(found: readonly T[]): Promise<void> {
    this.missing = found;
    await waitFor(this.retry(), AbortSignal.timeout(START_PATIENCE_MS)).catch(() => undefined);
  }

  /** Never rejects; with a store that is away it may take minutes, or for ever. */
  retry(): Promise<void> {
    if (this.missing.length === 0) return Promise.resolve();
    this.underWay ??= this.serve(this.missing)
      .then((done) => {
        this.missing = this.missing.filter((_, index) => !done[index]);
      })
      .catch((error: unknown) => this.logger.warn({ err: error }, 'what machines read could not be served again'))
      .finally(() => {
        this.underWay = undefined;
      });
    return this.underWay;
  }
}
