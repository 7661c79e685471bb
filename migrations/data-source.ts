import type { DataSource } from 'typeorm';
import { AuditEntry } from '#libs/audit';
import { createDataSource as create, StateEvent } from '#libs/database';
import { Connection, Desktop, Host, Pool, Session } from '#libs/fleet';
import { ApiSession, SignInAttempt } from '#libs/identity';
import { GoldenImage, ImageVersion } from '#libs/images';
import { migrations } from './index.js';

export { migrations };

/** All entities of the system: the one place that knows them together. */
const entities = [
  ApiSession,
  AuditEntry,
  Connection,
  Desktop,
  GoldenImage,
  Host,
  ImageVersion,
  Pool,
  Session,
  SignInAttempt,
  StateEvent,
];

/** An unconnected data source with all entities and migrations. @param url postgres:// URL, secret */
export function createDataSource(
  url: string,
  options: { poolSize?: number; applicationName?: string; answerWithinMs?: number } = {},
): DataSource {
  return create({ url, entities, migrations, ...options });
}
