/**
 * Does together what is asked for at the same time: the first item is worked on at once, and those that come while a
 * batch is under way form the next one. Nothing waits for a timer, so a single item is as fast as without.
 */
export class Batcher<Item, Result> {
  private waiting: { readonly item: Item; resolve(result: Result): void; reject(error: unknown): void }[] = [];
  private isRunning = false;

  /**
   * @param work does a batch; one result for each item, in their order. Must be safe to repeat: when a batch of several
   *   fails, each item is tried once more alone, so that one of them cannot fail the others.
   * @param max most items of a batch
   */
  constructor(
    private readonly work: (items: readonly Item[]) => Promise<readonly Result[]>,
    private readonly max = 100,
  ) {}

  /** Settles with the result of this item. */
  add(item: Item): Promise<Result> {
    const result = new Promise<Result>((resolve, reject) => this.waiting.push({ item, resolve, reject }));
    if (!this.isRunning) void this.run();
    return result;
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    for (let batch = this.take(); batch.length > 0; batch = this.take()) {
      if (!(await this.attempt(batch, batch.length > 1))) {
        await Promise.all(batch.map((entry) => this.attempt([entry], false)));
      }
    }
    this.isRunning = false;
  }

  private take(): typeof this.waiting {
    return this.waiting.splice(0, this.max);
  }

  /** @returns false when it failed and `mayRepeat` */
  private async attempt(batch: typeof this.waiting, mayRepeat: boolean): Promise<boolean> {
    try {
      const results = await this.work(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, index) => {
        resolve(results[index] as Result);
      });
    } catch (error) {
      if (mayRepeat) return false;
      for (const { reject } of batch) reject(error);
    }
    return true;
  }
}
