import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { JobDispatcher, type JobSink } from '#libs/jobs';
import type { Clock } from '#libs/kernel';
import { ProfileLookups } from '#libs/profiles';
import { type DueVersion, ProfileHistory, ProfileImports, SessionProfiles } from '#libs/sessions';
import { CLOCK, LOGGER } from '#libs/telemetry';
import { AdoptProfiles } from '../profiles/adopt-profiles.js';
import { DesktopProfileSync } from '../profiles/desktop-profile-sync.js';
import { ProfileHousekeeping } from '../profiles/profile-housekeeping.js';
import { PROFILE_OPTIONS, type ProfileOptions } from '../profiles/profile-options.js';
import { ProfileUsage } from '../profiles/profile-usage.js';
import { ProfileVault } from '../profiles/profile-vault.js';
import { PROVISIONER_OPTIONS, type ProvisionerOptions } from '../provisioner-options.js';

/** A job that was added has surely begun by then; if not, it was lost with Redis, or what it waits for has changed. */
const LOST_AFTER_SECONDS = 5;
/** Each reads a disk of its machine and writes to the store: more at once would only wait for each other. */
const SAVES_AT_ONCE = 4;
const TIDY_EVERY_MS = 3_600_000;
/** What is destroyed on purpose is to be gone soon, in the store too. */
const ERASE_EVERY_MS = 60_000;

/** Has profiles be brought that are on their way for too long, be saved when it is time, and keeps house in them. */
@Injectable()
export class ProfileReconciler {
  private readonly saving = new Map<string, Promise<void>>();
  private readonly stopping = new AbortController();
  private tidyAtMs: number;
  private eraseAtMs = 0;
  private tidying: Promise<void> | undefined;
  private askAtMs = 0;
  private asking: Promise<void> | undefined;

  constructor(
    private readonly rows: SessionProfiles,
    private readonly history: ProfileHistory,
    private readonly imports: ProfileImports,
    private readonly lookups: ProfileLookups,
    private readonly sync: DesktopProfileSync,
    private readonly adoption: AdoptProfiles,
    private readonly housekeeping: ProfileHousekeeping,
    private readonly usage: ProfileUsage,
    vault: ProfileVault,
    @Inject(JobDispatcher) private readonly jobs: JobSink,
    @Inject(PROVISIONER_OPTIONS) private readonly options: ProvisionerOptions,
    @Inject(PROFILE_OPTIONS) private readonly profileOptions: ProfileOptions,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    // Whoever changes the master key waits for what it wraps anew.
    this.tidyAtMs = this.clock.now().getTime() + (vault.hasFormerKeys ? 0 : TIDY_EVERY_MS);
  }

  async run(): Promise<void> {
    const host = this.options.hostName;
    // The store may not answer for long: other reconcilers do not wait for it.
    void this.adoption.serveMissing();
    for (const desktopId of await this.rows.desktopsOutOfStep(host, LOST_AFTER_SECONDS)) {
      if (!this.sync.isBusy(desktopId)) await this.jobs.enqueue('desktop.profile', { desktopId }, { host });
    }
    for (const due of await this.rows.dueForVersion(host)) {
      if (this.saving.size >= SAVES_AT_ONCE) break;
      if (!this.saving.has(due.desktopId)) this.saving.set(due.desktopId, this.save(due));
    }
    await this.history.discardUnwanted();
    for (const restore of await this.history.pendingRestores(LOST_AFTER_SECONDS)) {
      await this.jobs.enqueue('profile.restore', restore);
    }
    for (const importId of await this.imports.pending(LOST_AFTER_SECONDS)) {
      await this.jobs.enqueue('profile.import', { importId });
    }
    await this.rows.sweep();
    await this.lookups.sweep();
    this.askForUsage();
    this.tidy();
  }

  /** Waits for what is under way, of which `DesktopProfileSync.stop` has ended as much as can be. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('the provisioner stops'));
    await Promise.all([...this.saving.values(), this.asking, this.tidying]);
  }

  private async save(due: DueVersion): Promise<void> {
    try {
      await this.sync.save(due);
    } catch (error) {
      const { desktopId } = due;
      if (!this.stopping.signal.aborted) this.logger.warn({ err: error, desktopId }, 'a profile could not be saved');
    } finally {
      this.saving.delete(due.desktopId);
    }
  }

  /** Guests may be slow to answer: nothing waits for them. */
  private askForUsage(): void {
    const nowMs = this.clock.now().getTime();
    if (this.asking || nowMs < this.askAtMs) return;
    this.askAtMs = nowMs + this.profileOptions.usageEveryMs;
    this.asking = this.usage
      .reportAll(this.stopping.signal)
      .catch((error: unknown) => {
        if (!this.stopping.signal.aborted) this.logger.warn({ err: error }, 'how full profiles are is not known');
      })
      .finally(() => {
        this.asking = undefined;
      });
  }

  private tidy(): void {
    const nowMs = this.clock.now().getTime();
    if (this.tidying || nowMs < this.eraseAtMs) return;
    this.eraseAtMs = nowMs + ERASE_EVERY_MS;
    const isForAll = nowMs >= this.tidyAtMs;
    if (isForAll) this.tidyAtMs = nowMs + TIDY_EVERY_MS;
    const { signal } = this.stopping;
    this.tidying = (isForAll ? this.housekeeping.run(signal) : this.housekeeping.erase(signal))
      .catch((error: unknown) => {
        if (!this.stopping.signal.aborted) this.logger.warn({ err: error }, 'profiles could not be looked after');
      })
      .finally(() => {
        this.tidying = undefined;
      });
  }
}
