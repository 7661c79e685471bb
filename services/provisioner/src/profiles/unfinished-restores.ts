import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { ProfileHistory } from '#libs/sessions';
import { LOGGER } from '#libs/telemetry';
import { RestoreProfileHandler } from '../handlers/restore-profile.handler.js';

/** What is to be put back in a volume, or taken back, before somebody goes on from it. */
@Injectable()
export class UnfinishedRestores {
  constructor(
    private readonly history: ProfileHistory,
    private readonly restoring: RestoreProfileHandler,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Never rejects: nobody is kept out of their profile by a version that cannot be put back. */
  async finish(volumeId: string): Promise<void> {
    try {
      await this.history.beginErasures(volumeId);
      for (const restore of await this.history.pendingRestores(0, volumeId)) await this.restoring.handle(restore);
    } catch (error) {
      this.logger.warn({ err: error, volumeId }, 'a profile is opened before what it is to be was put back');
    }
  }
}
