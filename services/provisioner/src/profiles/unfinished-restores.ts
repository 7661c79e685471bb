import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { waitFor } from '#libs/kernel';
import { ProfileHistory } from '#libs/sessions';
import { LOGGER } from '#libs/telemetry';
import { RestoreProfileHandler } from '../handlers/restore-profile.handler.js';

/** What is to be put back in a volume, or discarded, before somebody goes on from it. */
@Injectable()
export class UnfinishedRestores {
  constructor(
    private readonly history: ProfileHistory,
    private readonly restoring: RestoreProfileHandler,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * Nobody is kept out of their profile by a version that cannot be put back: never rejects, and ends with the signal,
   * also when the store does not answer. Whoever has the lease by then has a fence that refuses what comes late.
   */
  async finish(volumeId: string, signal: AbortSignal): Promise<void> {
    try {
      await waitFor(this.work(volumeId), signal);
    } catch (error) {
      this.logger.warn({ err: error, volumeId }, 'a profile is opened before what it is to be was put back');
    }
  }

  private async work(volumeId: string): Promise<void> {
    for (const restore of await this.history.pendingRestores(0, volumeId)) await this.restoring.handle(restore);
    await this.history.discardUnwanted(volumeId);
  }
}
