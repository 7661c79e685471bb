import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import type { JobPayload } from '#libs/jobs';
import { IMPORTS_VOLUME } from '#libs/profiles';
import { ProfileImports } from '#libs/sessions';
import { LOGGER } from '#libs/telemetry';
import { VolumeStore } from '#libs/volumes';
import { importRefusalOf } from '../profiles/import-refusal-of.js';
import { ProfileImporter } from '../profiles/profile-importer.js';

/** Makes a version of another store the newest of its person's profile, or says why not. Safe to repeat. */
@Injectable()
export class ImportProfileHandler {
  constructor(
    private readonly imports: ProfileImports,
    private readonly importer: ProfileImporter,
    private readonly store: VolumeStore,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @throws VolumeError and others that may not last; tried again */
  async handle({ importId }: JobPayload<'profile.import'>): Promise<void> {
    const wanted = await this.imports.wanted(importId);
    if (!wanted) return;
    try {
      const { number } = await this.importer.import(wanted);
      await this.imports.done(importId, number);
    } catch (error) {
      const refusal = importRefusalOf(error);
      if (refusal === null) throw error;
      this.logger.warn({ err: error, importId }, 'a profile was not imported');
      await this.imports.refuse(importId, refusal);
    }
    // What keeps it in the store now is the version that it became, or nothing.
    for (const { number, id } of await this.store.listVersions(IMPORTS_VOLUME)) {
      if (id === wanted.record.versionId) await this.store.deleteVersion(IMPORTS_VOLUME, number);
    }
  }
}
