import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { DataSource } from 'typeorm';
import { readRows } from '#libs/database';
import type { DirectoryProvider } from '#libs/directory';
import { DomainError, errors } from '#libs/kernel';
import { LOGGER } from '#libs/telemetry';
import { DIRECTORY, IDENTITY_OPTIONS, type IdentityOptions, identityDefaults } from './identity-options.js';

/** What is known of a person whose roles may be due. */
interface KnownPerson {
  readonly tokenHash: string;
  readonly username: string;
  readonly displayName: string;
  readonly roles: string[];
  readonly rolesAgeSeconds: number;
}

/** How long a request waits for the directory; after that it goes on with the roles known last. */
const patienceMs = 1_500;
/** After the directory did not answer it is asked again so much later. */
const retryAfterSeconds = 30;

/** Reads people's roles again at intervals, so that a change in the directory reaches those who are signed in. */
@Injectable()
export class RoleRefresh {
  private readonly maxAgeSeconds: number;

  constructor(
    private readonly dataSource: DataSource,
    @Inject(DIRECTORY) private readonly directory: DirectoryProvider,
    @Inject(IDENTITY_OPTIONS) options: IdentityOptions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.maxAgeSeconds = options.rolesMaxAgeSeconds ?? identityDefaults.rolesMaxAgeSeconds;
  }

  /** @returns the person as known now, or `gone` when the directory has, or lets in, no such person any more */
  async ifDue<Person extends KnownPerson>(person: Person): Promise<Person | 'gone'> {
    if (person.rolesAgeSeconds < this.maxAgeSeconds || !(await this.claim(person.tokenHash))) return person;
    const refreshed = this.refresh(person).catch((error: unknown) => {
      this.logger.warn({ err: error }, 'roles could not be read again; those known last stay');
      return person;
    });
    return Promise.race([refreshed, delay(patienceMs, person, { ref: false })]);
  }

  /** One request, of whichever replica, asks; the others go on with what is known. */
  private async claim(tokenHash: string): Promise<boolean> {
    const claimed = await this.rows(
      `UPDATE api_sessions SET roles_read_at = now()
        WHERE token_hash = $1 AND roles_read_at <= now() - make_interval(secs => $2) RETURNING 1`,
      [tokenHash, this.maxAgeSeconds],
    );
    return claimed.length > 0;
  }

  private async refresh<Person extends KnownPerson>(person: Person): Promise<Person | 'gone'> {
    let found: Awaited<ReturnType<DirectoryProvider['find']>>;
    try {
      found = await this.directory.find(person.username);
    } catch (error) {
      if (DomainError.is(error, errors.directoryUnavailable)) await this.postpone(person.tokenHash);
      throw error;
    }
    if (!found) {
      // Also when the request has lost patience: then this is what the next one finds.
      await this.rows(`UPDATE api_sessions SET roles = '{}', roles_read_at = 'epoch' WHERE token_hash = $1`, [
        person.tokenHash,
      ]);
      return 'gone';
    }
    const { displayName, groups } = found;
    await this.rows('UPDATE api_sessions SET roles = $2, display_name = $3 WHERE token_hash = $1', [
      person.tokenHash,
      groups,
      displayName,
    ]);
    return { ...person, displayName, roles: [...groups] };
  }

  private async postpone(tokenHash: string): Promise<void> {
    await this.rows(`UPDATE api_sessions SET roles_read_at = now() - make_interval(secs => $2) WHERE token_hash = $1`, [
      tokenHash,
      Math.max(0, this.maxAgeSeconds - retryAfterSeconds),
    ]);
  }

  private async rows<Row>(sql: string, parameters: unknown[]): Promise<Row[]> {
    return readRows<Row>(this.dataSource, sql, parameters);
  }
}
