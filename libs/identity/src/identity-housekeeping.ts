import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from 'pino';
import { DataSource } from 'typeorm';
import { LOGGER } from '#libs/telemetry';

const intervalMs = 3_600_000;

/** Deletes what nobody asks for any more. */
@Injectable()
export class IdentityHousekeeping implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly dataSource: DataSource,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.sweep(), intervalMs);
    this.timer.unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** Attempts long forgotten, and sessions older than the time for which a network counts as known. */
  async sweep(): Promise<void> {
    try {
      await this.dataSource.query(`DELETE FROM sign_in_attempts WHERE updated_at < now() - interval '1 day'`);
      await this.dataSource.query(`DELETE FROM api_sessions WHERE expires_at < now() - interval '31 days'`);
    } catch (error) {
      this.logger.warn({ err: error }, 'old sessions could not be deleted; trying again in an hour');
    }
  }
}
