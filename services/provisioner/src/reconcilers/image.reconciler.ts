import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { FleetStore, HOST_OFFLINE_AFTER_SECONDS } from '#libs/fleet';
import { ImageIntake, type ImageVersion } from '#libs/images';
import { JobDispatcher } from '#libs/jobs';
import type { Clock } from '#libs/kernel';
import { CLOCK, LOGGER } from '#libs/telemetry';
import { VolumeError } from '#libs/volumes';
import { ImageCopies } from '../image-copies.js';
import { ImageImport } from '../image-import.js';
import { PROVISIONER_OPTIONS, type ProvisionerOptions } from '../provisioner-options.js';
import { ParentReconciler } from './parent.reconciler.js';

const LONGEST_BACK_OFF_MS = 5 * 60_000;
/** What failed is tried again, but calmly: somebody has to mend it first. */
const FAILED_BACK_OFF_MS = 60_000;
const LONGEST_FAILED_BACK_OFF_MS = 3_600_000;
/** A version whose parent cannot be made so often is given up, when there is another one to go on with. */
const PREPARE_ATTEMPTS = 3;
const SWEEP_EVERY_ROUNDS = 12;

/**
 * Brings golden images from where they were built to the desktops: into the volume store, from there to this host, and
 * into use once hosts are ready. One after another in the background; pools go on with the version they have.
 */
@Injectable()
export class ImageReconciler {
  private readonly attempts = new Map<string, { count: number; retryAtMs: number }>();
  private readonly stopping = new AbortController();
  private work: Promise<void> | undefined;
  private round = 0;

  constructor(
    private readonly store: FleetStore,
    private readonly intake: ImageIntake,
    private readonly imports: ImageImport,
    private readonly copies: ImageCopies,
    private readonly parents: ParentReconciler,
    private readonly jobs: JobDispatcher,
    @Inject(PROVISIONER_OPTIONS) private readonly options: ProvisionerOptions,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Looks what is to be done and returns; the work goes on behind. */
  async run(): Promise<void> {
    this.round += 1;
    if (this.work || this.stopping.signal.aborted) return;
    const wanted = await this.intake.wanted();
    for (const id of this.attempts.keys()) if (!wanted.some((version) => version.id === id)) this.attempts.delete(id);
    this.work = this.workOn(wanted)
      .catch((error: unknown) => this.logger.warn({ err: error }, 'golden images could not be looked after'))
      .finally(() => {
        this.work = undefined;
      });
  }

  /** Gives up what is under way. Nothing is begun afterwards. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('the provisioner stops'));
    await Promise.all([this.copies.stop(), this.work]);
  }

  private async workOn(wanted: readonly ImageVersion[]): Promise<void> {
    for (const version of wanted) {
      if (this.stopping.signal.aborted) return;
      if (this.clock.now().getTime() < (this.attempts.get(version.id)?.retryAtMs ?? 0)) continue;
      await this.attempt(version, wanted);
    }
    if (this.round % SWEEP_EVERY_ROUNDS !== 1) return;
    const keep = await this.intake.digestsInUse();
    for (const { digest } of await this.intake.wanted()) keep.add(digest);
    await this.copies.sweep(keep);
    await this.intake.copiesOf(this.options.hostName, wanted);
  }

  private async attempt(version: ImageVersion, wanted: readonly ImageVersion[]): Promise<void> {
    try {
      const isDone = await this.advance(version, wanted);
      if (isDone) this.attempts.delete(version.id);
    } catch (error) {
      if (this.stopping.signal.aborted) return;
      await this.tellFailure(version, error);
    }
  }

  /** @returns false when it goes on later */
  private async advance(version: ImageVersion, wanted: readonly ImageVersion[]): Promise<boolean> {
    if (version.state === 'failed') return this.tryAgain(version);
    if (!version.stored && version.sourceHost !== null && version.sourceHost !== this.options.hostName) return true;
    const stored = version.stored ? version : await this.import(version);
    if (!stored) return this.postpone(version);
    await this.copies.ensure(stored);
    await this.intake.copy(this.options.hostName, stored, null);
    if (stored.state !== 'validating') return true;
    await this.prepare(stored, wanted);
    const served = await this.intake.serve(stored, HOST_OFFLINE_AFTER_SECONDS);
    if (served !== 'published') return served === 'superseded';
    this.logger.info({ imageVersionId: version.id, number: version.number }, 'a golden image serves new desktops');
    for (const { id: poolId, imageId } of await this.store.pools()) {
      if (imageId === version.imageId) await this.jobs.enqueue('pool.reconcile', { poolId });
    }
    return true;
  }

  /** It is not here to be imported, or not as it was; looking may take a while. */
  private postpone({ id }: ImageVersion): false {
    this.attempts.set(id, { count: 1, retryAtMs: this.clock.now().getTime() + LONGEST_BACK_OFF_MS });
    return false;
  }

  /** The version, in the store; undefined when this host does not have it. */
  private async import(version: ImageVersion): Promise<ImageVersion | undefined> {
    const built = await this.imports.find(version, this.stopping.signal);
    if (!built) return undefined;
    // It may be forked of already while it is written: both take their time.
    const preparing = version.state === 'importing' ? this.parents.prepareVersion(version) : undefined;
    preparing?.catch(() => undefined);
    const stored = await this.imports.store(version, built, this.stopping.signal);
    await preparing?.catch(() => undefined);
    return { ...version, stored, state: version.state === 'importing' ? 'validating' : version.state };
  }

  private async prepare(version: ImageVersion, wanted: readonly ImageVersion[]): Promise<void> {
    try {
      await this.parents.prepareVersion(version);
    } catch (error) {
      const isLast = (this.attempts.get(version.id)?.count ?? 0) + 1 >= PREPARE_ATTEMPTS;
      if (!isLast) throw error;
      const hasOther = wanted.some(({ imageId, state }) => imageId === version.imageId && state === 'published');
      if (hasOther) throw new NotBootable(error);
      this.logger.warn({ err: error, imageVersionId: version.id }, 'no parent could be made; desktops boot instead');
    }
  }

  private async tryAgain(version: ImageVersion): Promise<boolean> {
    const failedForMs = this.clock.now().getTime() - version.stateChangedAt.getTime();
    const count = this.attempts.get(version.id)?.count ?? 1;
    if (failedForMs >= Math.min(FAILED_BACK_OFF_MS * 2 ** (count - 1), LONGEST_FAILED_BACK_OFF_MS)) {
      await this.intake.tryAgain(version);
    }
    return false;
  }

  private async tellFailure(version: ImageVersion, error: unknown): Promise<void> {
    const count = (this.attempts.get(version.id)?.count ?? 0) + 1;
    const waitMs = Math.min(this.options.reconcileIntervalMs * 2 ** (count - 1), LONGEST_BACK_OFF_MS);
    this.attempts.set(version.id, { count, retryAtMs: this.clock.now().getTime() + waitMs });
    const about = { err: error, imageVersionId: version.id, number: version.number, retryInMs: waitMs };
    this.logger.warn(about, 'a golden image is not ready on this host yet');
    const reason = error instanceof Error ? error.message : String(error);
    if (version.stored) await this.intake.copy(this.options.hostName, version, reason);
    const isMakingIt = version.state === 'importing' || version.state === 'validating';
    if (isMakingIt && isOfTheVersion(error)) await this.intake.failed(version, reason);
    else if (isMakingIt) await this.intake.hindered(version, reason);
  }
}

/** No machine of the version got to its waiting screen. */
class NotBootable extends Error {
  constructor(cause: unknown) {
    super(`no desktop could be started of it: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

const isOfTheVersion = (error: unknown): boolean =>
  error instanceof NotBootable || VolumeError.isDamage(error) || ImageImport.isDamage(error);
