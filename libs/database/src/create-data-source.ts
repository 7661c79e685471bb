import { DataSource, type DataSourceOptions } from 'typeorm';
import { guardedClient } from './guarded-client.js';
import { SnakeNamingStrategy } from './snake-naming-strategy.js';

type Classes = Extract<DataSourceOptions['entities'], unknown[]>;

export interface DatabaseOptions {
  /** postgres:// URL. Secret: never logged. */
  readonly url: string;
  readonly entities: Classes;
  readonly migrations: Extract<DataSourceOptions['migrations'], unknown[]>;
  readonly poolSize?: number;
  /** A connection on which a statement has had no answer for so long is given up. Default 20 s. */
  readonly answerWithinMs?: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName?: string;
}

/** An unconnected data source. Statements are bounded, so that a hung server never hangs a request for ever. */
export function createDataSource(options: DatabaseOptions): DataSource {
  return new DataSource({
    type: 'postgres',
    url: options.url,
    entities: options.entities,
    migrations: options.migrations,
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    namingStrategy: new SnakeNamingStrategy(),
    synchronize: false,
    logging: false,
    applicationName: options.applicationName ?? 'goldleaf',
    poolSize: options.poolSize ?? 20,
    connectTimeoutMS: 5_000,
    extra: {
      Client: guardedClient(options.answerWithinMs ?? 20_000),
      statement_timeout: 15_000,
      idle_in_transaction_session_timeout: 30_000,
      keepAlive: true,
    },
    // A connection that dies while idle (the server restarted) must not end the process; the pool opens another.
    poolErrorHandler: () => undefined,
  });
}
