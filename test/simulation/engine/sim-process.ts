/** One life of a broker or provisioner: what it has under way ends with it. */
export class SimProcess {
  /** `paused`: it gets no processor, and does not know. */
  state: 'running' | 'paused' | 'dead' = 'running';
  private readonly endings: (() => void)[] = [];

  constructor(readonly name: string) {}

  /** Runs when the process ends, however it does: connections are closed then, watches fall silent. */
  onEnd(ending: () => void): void {
    this.endings.push(ending);
  }

  /** Use `Scheduler.kill`. */
  die(): void {
    if (this.state === 'dead') return;
    this.state = 'dead';
    for (const ending of this.endings) ending();
  }
}
