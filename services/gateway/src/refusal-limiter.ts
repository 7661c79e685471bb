/**
 * Counts the refused upgrades of an address, and gives them back over time. Upgrades that succeed cost nothing, so a site
 * behind one address is not limited by its size.
 */
export class RefusalLimiter {
  private readonly buckets = new Map<string, { spent: number; at: number }>();

  constructor(
    private readonly burst: number,
    private readonly perSecond: number,
    private readonly nowMs: () => number = Date.now,
    private readonly maxAddresses = 10_000,
  ) {}

  /** Seconds to wait before the address may try again; 0 when it may now. */
  waitSeconds(address: string): number {
    const spent = this.spent(address);
    return spent + 1 <= this.burst ? 0 : Math.ceil((spent + 1 - this.burst) / this.perSecond);
  }

  count(address: string): void {
    const spent = Math.min(this.spent(address) + 1, this.burst);
    // Deleted and set again, so that the map is in order of last use.
    this.buckets.delete(address);
    this.buckets.set(address, { spent, at: this.nowMs() });
    if (this.buckets.size > this.maxAddresses) {
      const oldest = this.buckets.keys().next().value;
      if (oldest !== undefined) this.buckets.delete(oldest);
    }
  }

  private spent(address: string): number {
    const bucket = this.buckets.get(address);
    if (!bucket) return 0;
    return Math.max(0, bucket.spent - ((this.nowMs() - bucket.at) / 1000) * this.perSecond);
  }
}
