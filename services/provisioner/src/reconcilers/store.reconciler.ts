import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { deleteStoredImage, ImageIntake } from '#libs/images';
import type { Clock } from '#libs/kernel';
import { CLOCK, LOGGER, Metrics } from '#libs/telemetry';
import { VolumeStore } from '#libs/volumes';

/** Listing a store costs a look at every object. */
const MEASURE_EVERY_MS = 15 * 60_000;
const COLLECT_EVERY_MS = 6 * 3_600_000;
/** How long IT may want to look at a golden image that failed, or try it again. */
const FAILED_KEPT_DAYS = 30;

/** Keeps house in the volume store, calmly and behind: measures it, and frees what nothing needs. Safe on several hosts. */
@Injectable()
export class StoreReconciler {
  private readonly gauges;
  private readonly collected;
  private readonly stopping = new AbortController();
  private work: Promise<void> | undefined;
  private measureAtMs = 0;
  /** Not at the start, when there is enough to do. */
  private collectAtMs: number;

  constructor(
    private readonly volumes: VolumeStore,
    private readonly images: ImageIntake,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(CLOCK) private readonly clock: Clock,
    metrics: Metrics,
  ) {
    this.collectAtMs = this.clock.now().getTime() + COLLECT_EVERY_MS;
    this.gauges = {
      stored: metrics.gauge({
        name: 'goldleaf_store_bytes',
        help: 'Chunks in the volume store as they are stored: needed by a version, or garbage that is yet to be collected',
        labelNames: ['kind'],
      }),
      logical: metrics.gauge({
        name: 'goldleaf_store_logical_bytes',
        help: 'All versions of a volume with their holes, as if nothing were shared or compressed',
        labelNames: ['volume'],
      }),
      volume: metrics.gauge({
        name: 'goldleaf_store_volume_bytes',
        help: 'Stored chunks that a volume needs: its own, which deleting it would free, and those shared with others',
        labelNames: ['volume', 'kind'],
      }),
      versions: metrics.gauge({
        name: 'goldleaf_store_versions',
        help: 'Versions of a volume in the store',
        labelNames: ['volume'],
      }),
    };
    this.collected = metrics.counter({
      name: 'goldleaf_store_collected_bytes_total',
      help: 'What this provisioner has freed in the volume store',
      labelNames: [],
    });
  }

  /** Returns at once; the work goes on behind. */
  async run(): Promise<void> {
    const nowMs = this.clock.now().getTime();
    if (this.work || this.stopping.signal.aborted || nowMs < Math.min(this.measureAtMs, this.collectAtMs)) return;
    this.work = this.keep(nowMs)
      .catch((error: unknown) => {
        if (!this.stopping.signal.aborted)
          this.logger.warn({ err: error }, 'the volume store could not be looked after');
      })
      .finally(() => {
        this.work = undefined;
      });
  }

  /** Gives up what is under way. Nothing is begun afterwards. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('the provisioner stops'));
    await this.work;
  }

  private async keep(nowMs: number): Promise<void> {
    this.measureAtMs = nowMs + MEASURE_EVERY_MS;
    if (nowMs >= this.collectAtMs) {
      this.collectAtMs = nowMs + COLLECT_EVERY_MS;
      await this.collect();
    }
    await this.measure();
  }

  private async collect(): Promise<void> {
    for (const { stored } of await this.images.forgetFailed(FAILED_KEPT_DAYS)) {
      if (stored) await deleteStoredImage(this.volumes, stored);
    }
    const { bytes, chunks, manifests } = await this.volumes.collectGarbage({ signal: this.stopping.signal });
    this.collected.inc(bytes);
    if (chunks + manifests > 0)
      this.logger.info({ bytes, chunks, manifests }, 'the volume store was cleared of garbage');
  }

  private async measure(): Promise<void> {
    const usage = await this.volumes.usage();
    // What is no more must not stay. Nothing waits from here on, so that a scrape meets all or nothing.
    for (const gauge of Object.values(this.gauges)) gauge.reset();
    this.gauges.stored.set({ kind: 'needed' }, usage.storedBytes - usage.unneededBytes);
    this.gauges.stored.set({ kind: 'unneeded' }, usage.unneededBytes);
    for (const { volume, versions, logicalBytes, uniqueBytes, sharedBytes } of usage.volumes) {
      this.gauges.versions.set({ volume }, versions);
      this.gauges.logical.set({ volume }, logicalBytes);
      this.gauges.volume.set({ volume, kind: 'own' }, uniqueBytes);
      this.gauges.volume.set({ volume, kind: 'shared' }, sharedBytes);
    }
  }
}
