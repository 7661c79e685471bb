/**
 * Runs work that serves everybody who asks: one run at a time for a key, and all calls made during a run share one that
 * begins after it, as the run under way may have looked before they asked.
 */
export class SharedRun {
  private readonly running = new Map<string, Promise<void>>();
  private readonly following = new Map<string, Promise<void>>();

  /** Settles as the run does that began after this call. */
  run(key: string, work: () => Promise<void>): Promise<void> {
    const shared = this.following.get(key);
    if (shared) return shared;
    const running = this.running.get(key);
    if (!running) return this.start(key, work);
    const following = running
      .catch(() => undefined)
      .then(() => {
        this.following.delete(key);
        return this.start(key, work);
      });
    this.following.set(key, following);
    return following;
  }

  private start(key: string, work: () => Promise<void>): Promise<void> {
    const run = work().finally(() => {
      if (this.running.get(key) === run) this.running.delete(key);
    });
    this.running.set(key, run);
    return run;
  }
}
