import type { Logger } from '#libs/telemetry';

/** Resolves when the part works; any rejection means that it does not. */
export type ReadinessCheck = () => Promise<unknown>;

export interface ReadinessReport {
  readonly status: 'ready' | 'not-ready';
  readonly checks: Readonly<Record<string, { readonly status: 'up' | 'down'; readonly durationMs: number }>>;
}

/** The parts that this process cannot do without; each is registered by whoever owns it. */
export class ReadinessChecks {
  private readonly checks = new Map<string, ReadinessCheck>();
  private readonly down = new Set<string>();
  private underWay: Promise<ReadinessReport> | undefined;

  /** @param timeoutMs after which a part that says nothing counts as down. */
  constructor(
    private readonly logger: Logger,
    private readonly timeoutMs = 2000,
  ) {}

  /** Adds or replaces the check of a part (`database`, `redis`, `directory`, `guacd`). */
  register(name: string, check: ReadinessCheck): void {
    this.checks.set(name, check);
  }

  /** Asks all parts at once; calls that come meanwhile share the answer, so that probes cannot pile up. */
  report(): Promise<ReadinessReport> {
    this.underWay ??= this.run().finally(() => {
      this.underWay = undefined;
    });
    return this.underWay;
  }

  private async run(): Promise<ReadinessReport> {
    const results = await Promise.all(
      [...this.checks].map(async ([name, check]) => [name, await this.ask(name, check)]),
    );
    const checks: ReadinessReport['checks'] = Object.fromEntries(results);
    const ready = Object.values(checks).every((check) => check.status === 'up');
    return { status: ready ? 'ready' : 'not-ready', checks };
  }

  private async ask(name: string, check: ReadinessCheck): Promise<{ status: 'up' | 'down'; durationMs: number }> {
    const startedAt = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer in ${this.timeoutMs} ms`)), this.timeoutMs);
    });
    const error = await Promise.race([Promise.resolve().then(check), deadline]).then(
      () => undefined,
      (cause: unknown) => cause ?? new Error('refused'),
    );
    clearTimeout(timer);
    this.tell(name, error);
    return { status: error === undefined ? 'up' : 'down', durationMs: Math.round(performance.now() - startedAt) };
  }

  /** Logs changes only: probes come every few seconds. */
  private tell(name: string, error: unknown): void {
    if (error !== undefined && !this.down.has(name)) {
      this.down.add(name);
      this.logger.warn({ part: name, err: error }, 'a part is down');
    } else if (error === undefined && this.down.delete(name)) {
      this.logger.info({ part: name }, 'a part is up again');
    }
  }
}
