import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditLog } from '#libs/audit';
import {
  type ImportProfile,
  importProfileSchema,
  type ProfileImportView,
  profileImportViewSchema,
} from '#libs/contracts';
import { readRows, transact } from '#libs/database';
import { JobDispatcher, type JobSink } from '#libs/jobs';
import { DomainError, errors } from '#libs/kernel';
import { currentCorrelationId } from '#libs/telemetry';

/** Versions that IT brings from another store: asked for here, done by a provisioner, which has the master key. */
@Injectable()
export class ProfileImports {
  constructor(
    private readonly dataSource: DataSource,
    private readonly auditLog: AuditLog,
    @Inject(JobDispatcher) private readonly jobs: JobSink,
  ) {}

  /**
   * The version was copied into the site's own store; a provisioner judges and imports it.
   * @throws DomainError `invalid-request` when the record is somebody else's
   */
  async ask(username: string, context: string, wanted: ImportProfile, actor: string): Promise<ProfileImportView> {
    const { record, after } = wanted;
    if (record.username !== username || record.context !== context) {
      throw new DomainError(errors.invalidRequest, 'The record is that of another profile');
    }
    const id = await transact(this.dataSource, async (unit) => {
      const [asked] = await unit.rows<{ id: string }>(
        'INSERT INTO profile_imports (record, after_number) VALUES ($1, $2) RETURNING id',
        [JSON.stringify(record), after],
      );
      const entry = {
        ...({ action: 'profile-restored', actor, subject: `profile:${username}/${context}` } as const),
        details: { version: record.number, from: 'another store' },
      };
      await this.auditLog.recordAll([{ ...entry, correlationId: currentCorrelationId() }], unit);
      return asked?.id ?? '';
    });
    await this.jobs.enqueue('profile.import', { importId: id });
    return this.view(id);
  }

  /** @throws DomainError `not-found` */
  async view(id: string): Promise<ProfileImportView> {
    const [row] = await readRows(
      this.dataSource,
      `SELECT id, record ->> 'username' AS username, record ->> 'context' AS context,
              (record ->> 'number')::int AS "from", state, number, problem FROM profile_imports WHERE id = $1`,
      [id],
    );
    if (!row) throw new DomainError(errors.notFound, 'There is no such import');
    return profileImportViewSchema.parse(row);
  }

  /** What is to be imported; null once it is done or refused. */
  async wanted(id: string): Promise<ImportProfile | null> {
    const [row] = await readRows(
      this.dataSource,
      "SELECT record, after_number AS after FROM profile_imports WHERE id = $1 AND state = 'asked'",
      [id],
    );
    return row ? importProfileSchema.parse(row) : null;
  }

  /** @param number that it has here */
  async done(id: string, number: number): Promise<void> {
    await this.finish(id, 'done', number, null);
  }

  /** @param problem for IT */
  async refuse(id: string, problem: string): Promise<void> {
    await this.finish(id, 'refused', null, problem);
  }

  /** Asked for longer than so many seconds ago: their jobs were lost, or failed and are tried again. */
  async pending(forSeconds: number): Promise<string[]> {
    const rows = await readRows<{ id: string }>(
      this.dataSource,
      `SELECT id FROM profile_imports WHERE state = 'asked' AND created_at < now() - make_interval(secs => $1)`,
      [forSeconds],
    );
    return rows.map(({ id }) => id);
  }

  /** The key must not outlive its volume: it goes from here at once. */
  private async finish(id: string, state: 'done' | 'refused', number: number | null, problem: string | null) {
    await readRows(
      this.dataSource,
      `UPDATE profile_imports SET state = $2, number = $3, problem = $4, record = record - 'wrappedKey' - 'seal'
        WHERE id = $1 AND state = 'asked'`,
      [id, state, number, problem],
    );
  }
}
