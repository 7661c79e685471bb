/** Things that are being done side by side, to be seen to as they come. */
export class Arrivals {
  private pending: number;
  private arrived = 0;
  private readonly failures: unknown[] = [];
  private wake: () => void = () => undefined;

  constructor(works: readonly Promise<void>[]) {
    this.pending = works.length;
    for (const work of works) {
      work
        .catch((error: unknown) => this.failures.push(error))
        .finally(() => {
          this.pending -= 1;
          this.arrived += 1;
          this.wake();
        });
    }
  }

  /** Waits until all have come, at most for so long. */
  async within(timeoutMs: number): Promise<void> {
    let isOver = this.pending === 0;
    const timer = setTimeout(() => {
      isOver = true;
      this.wake();
    }, timeoutMs);
    while (!isOver && this.pending > 0) await this.next();
    clearTimeout(timer);
    this.arrived = 0;
  }

  /**
   * Waits for those that come next.
   * @returns false when all have been seen to
   * @throws the first failure, when all have come
   */
  async more(): Promise<boolean> {
    while (this.arrived === 0 && this.pending > 0) await this.next();
    if (this.pending === 0 && this.failures.length > 0) throw this.failures[0];
    const hasNews = this.arrived > 0;
    this.arrived = 0;
    return hasNews;
  }

  private next(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }
}
