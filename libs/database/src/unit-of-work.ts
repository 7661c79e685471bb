import { DataSource, type EntityManager, QueryFailedError } from 'typeorm';
import { type Preparing, preparedRows } from './prepared-rows.js';

/** Serialization failure and deadlock: the whole transaction may be tried again. */
const RETRYABLE = new Set(['40001', '40P01']);
const MAX_ATTEMPTS = 4;

/** One transaction, and what has to happen once it is committed. */
export class UnitOfWork {
  private readonly hooks: (() => Promise<void> | void)[] = [];
  private refusal: { readonly error: unknown } | undefined;

  /** @param client the connection that `manager` has for this transaction */
  constructor(
    readonly manager: EntityManager,
    private readonly client: Preparing,
  ) {}

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
      return await preparedRows<Row>(this.client, sql, parameters);
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

/** Rows of a statement outside of a transaction. */
export function readRows<Row>(
  dataSource: DataSource,
  sql: string,
  parameters: readonly unknown[] = [],
): Promise<Row[]> {
  const { master } = dataSource.driver as unknown as { readonly master: Preparing };
  return preparedRows<Row>(master, sql, parameters);
}

/** Runs `work` in one transaction, again when PostgreSQL gave it up for a conflict, then its after-commit hooks. */
export async function transact<T>(dataSource: DataSource, work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    let unit: UnitOfWork | undefined;
    try {
      const result = await dataSource.transaction(async (manager) => {
        if (!manager.queryRunner) throw new Error('a transaction without a connection');
        const client: Preparing = await manager.queryRunner.connect();
        unit = new UnitOfWork(manager, client);
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
  const { code } = (error instanceof QueryFailedError ? error.driverError : error) as { code?: unknown };
  return typeof code === 'string' && RETRYABLE.has(code);
}
