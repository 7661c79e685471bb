import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import type { JobPayload } from '#libs/jobs';
import { type FolderAnswer, type PendingLookup, ProfileLookups } from '#libs/profiles';
import { LOGGER } from '#libs/telemetry';
import { SharedReaders } from '../exports/shared-readers.js';
import { WatchedReader } from '../exports/watched-reader.js';
import { lookIntoVersion } from '../lookups/look-into-version.js';
import { LookupFailed, lookupFailureOf } from '../lookups/lookup-failure.js';
import { sweepVersionFiles } from '../lookups/sweep-version-files.js';
import { LOOKUP_FOLDER, openVersionFile } from '../lookups/version-file.js';
import { ProfileVault } from '../profiles/profile-vault.js';

/** Who waits longer has given up. */
const TIMEOUT_MS = 60_000;

/** Looks into older versions of profiles, as IT or their people asked. Safe to repeat. */
@Injectable()
export class LookIntoProfileHandler {
  private readonly stopping = new AbortController();

  constructor(
    private readonly lookups: ProfileLookups,
    private readonly vault: ProfileVault,
    private readonly readers: SharedReaders,
    @Inject(LOOKUP_FOLDER) private readonly parent: string,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Takes away what a process before this one left. Call before the first. */
  start(): Promise<void> {
    return sweepVersionFiles(this.parent, this.logger);
  }

  /** @throws when it was stopped; tried again, here or elsewhere */
  async handle({ lookupId }: JobPayload<'profile.look'>): Promise<void> {
    const lookup = await this.lookups.pending(lookupId);
    if (!lookup) return;
    let answer: FolderAnswer | Buffer;
    try {
      answer = await this.look(lookup, AbortSignal.any([this.stopping.signal, AbortSignal.timeout(TIMEOUT_MS)]));
    } catch (error) {
      this.stopping.signal.throwIfAborted();
      const failure = lookupFailureOf(error);
      const { volumeId, number } = lookup;
      this.logger.warn({ err: error, lookupId, volumeId, number, failure }, 'a look into a profile came to nothing');
      await this.lookups.failed(lookupId, failure);
      return;
    }
    await this.lookups.found(lookupId, answer);
  }

  /** Ends what is under way. */
  stop(): void {
    this.stopping.abort(new Error('the provisioner stops'));
  }

  private async look(lookup: PendingLookup, signal: AbortSignal): Promise<FolderAnswer | Buffer> {
    const { username, context, volumeId, versionId } = lookup;
    const volume = await this.vault.find({ username, context });
    if (volume?.id !== volumeId) throw new LookupFailed('no-key', 'the profile was destroyed');
    const lease = await this.readers.acquire(versionId, { key: volume.key, signal });
    try {
      const reader = new WatchedReader(lease.reader, (error) => {
        this.logger.warn({ err: error, volumeId, versionId }, 'a profile that is looked into cannot be read');
      });
      const file = await openVersionFile(reader, { parent: this.parent, logger: this.logger, signal });
      try {
        return await lookIntoVersion(file.path, lookup, signal);
      } catch (error) {
        // What could not be read looks like damage from above.
        throw reader.lastFailure ?? error;
      } finally {
        await file.close();
      }
    } finally {
      lease.release();
    }
  }
}
