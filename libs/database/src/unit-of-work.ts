import { DataSource, type EntityManager, QueryFailedError } from 'typeorm';

/** Serialization failure and deadlock: the whole transaction may be tried again. */
const RETRYABLE = new Set(['40001', '40P01']);
const MAX_ATTEMPTS = 4;

/** One transaction, and what has to happen once it is committed. */
export class UnitOfWork {
  private readonly hooks: (() => Promise<void> | void)[] = [];
  private refusal: { readonly error: unknown } | undefined;

  constructor(readonly manager: EntityManager) {}

  /**
   * Runs `hook` when the transaction has been committed, never before and not at all after a rollback. Hooks are
   * hints (a job, an event): one that fails is dropped, as the reconcilers find from the rows what was missed.
   */
  afterCommit(hook: () => Promise<void> | void): void {
    this.hooks.push(hook);
  }

  /** Rows of a raw SELECT, or of an INSERT/UPDATE/DELETE with RETURNING. */
  async rows<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    try {
      return rowsOf<Row>(await this.manager.query(sql, [...parameters]));
    } catch (error) {
      this.refusal ??= { error };
      throw error;
    }
  }

  /**
   * Called once by `transact`, before the commit: PostgreSQL answers the COMMIT of a transaction in which a statement
   * was refused with success and rolls back, so work that went on regardless would be taken for done.
   */
  assertWhole(): void {
    if (this.refusal) throw this.refusal.error;
  }

  /** Called once by `transact`. */
  async runHooks(): Promise<void> {
    await Promise.allSettled(this.hooks.map(async (hook) => hook()));
  }
}

/** The pg driver answers UPDATE and DELETE with `[rows, count]`, all else with `rows`. */
export function rowsOf<Row>(result: unknown): Row[] {
  const [first, second] = Array.isArray(result) ? result : [];
  return (Array.isArray(first) && typeof second === 'number' ? first : result) as Row[];
}

/** Runs `work` in one transaction, again when PostgreSQL gave it up for a conflict, then its after-commit hooks. */
export async function transact<T>(dataSource: DataSource, work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    let unit: UnitOfWork | undefined;
    try {
      const result = await dataSource.transaction(async (manager) => {
        unit = new UnitOfWork(manager);
        const done = await work(unit);
        unit.assertWhole();
        return done;
      });
      await unit?.runHooks();
      return result;
    } catch (error) {
      if (attempt >= MAX_ATTEMPTS || !isRetryable(error)) throw error;
    }
  }
}

function isRetryable(error: unknown): boolean {
  if (!(error instanceof QueryFailedError)) return false;
  const { code } = error.driverError as { code?: string };
  return code !== undefined && RETRYABLE.has(code);
}
