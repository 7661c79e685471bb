import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { FleetStore } from '#libs/fleet';
import type { HypervisorDriver, MachineShape } from '#libs/hypervisor';
import type { Clock } from '#libs/kernel';
import { CLOCK, LOGGER, Metrics } from '#libs/telemetry';
import { ImageLocator } from '../image-locator.js';
import { DRIVER, PROVISIONER_OPTIONS, type ProvisionerOptions } from '../provisioner-options.js';

interface Wanted extends MachineShape {
  readonly imageVersionId: string;
}

const LONGEST_BACK_OFF_MS = 5 * 60_000;
/** After so many rounds a parent is asked for again, as its file may have been lost. It costs nothing when it is there. */
const ASKED_AGAIN_AFTER_ROUNDS = 12;

/**
 * Has the parents made that desktops of this host are forked from, before the first desktop needs them: one after
 * another, in the background. Desktops are made meanwhile; they wait for their parent by themselves.
 */
@Injectable()
export class ParentReconciler {
  private readonly prepareSeconds;
  /** What was prepared, and in which round. */
  private readonly prepared = new Map<string, number>();
  private readonly failures = new Map<string, { count: number; retryAtMs: number }>();
  private readonly stopping = new AbortController();
  private wanted: Wanted[] = [];
  private work: Promise<void> | undefined;
  private round = 0;

  constructor(
    private readonly store: FleetStore,
    private readonly images: ImageLocator,
    @Inject(DRIVER) private readonly driver: HypervisorDriver,
    @Inject(PROVISIONER_OPTIONS) private readonly options: ProvisionerOptions,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(CLOCK) private readonly clock: Clock,
    metrics: Metrics,
  ) {
    this.prepareSeconds = metrics.histogram({
      name: 'goldleaf_parent_prepare_seconds',
      help: 'How long it took until machines of an image and shape could be forked; short when the parent was there',
      labelNames: ['outcome'],
      buckets: [0.1, 1, 5, 10, 20, 40, 60, 120, 240],
    });
  }

  /** Looks what is wanted and returns; the work goes on behind. */
  async run(): Promise<void> {
    this.round += 1;
    this.wanted = await this.readWanted();
    const keys = new Set(this.wanted.map(keyOf));
    for (const known of [this.prepared, this.failures]) {
      for (const key of known.keys()) if (!keys.has(key)) known.delete(key);
    }
    this.work ??= this.prepareAll().finally(() => {
      this.work = undefined;
    });
  }

  /** Gives up what is under way. Nothing is begun afterwards. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('the provisioner stops'));
    await this.work;
  }

  /**
   * Has the parents of a version made for the pools of its image, before it serves. Resolves when they are there.
   * @throws MachineError when one cannot be made
   */
  async prepareVersion({ id, imageId }: { readonly id: string; readonly imageId: string }): Promise<void> {
    const shapes = new Map<string, Wanted>();
    for (const pool of await this.store.pools()) {
      if (pool.mode !== 'active' || pool.imageId !== imageId) continue;
      const shape = { imageVersionId: id, vcpus: pool.vcpus, memoryMiB: pool.memoryMib };
      shapes.set(keyOf(shape), shape);
    }
    for (const { imageVersionId, vcpus, memoryMiB } of shapes.values()) {
      const image = await this.images.locate(imageVersionId);
      await this.driver.prepare(image, { vcpus, memoryMiB }, { signal: this.stopping.signal });
    }
  }

  private async readWanted(): Promise<Wanted[]> {
    const wanted = new Map<string, Wanted>();
    for (const pool of await this.store.pools()) {
      if (pool.mode !== 'active') continue;
      const imageVersionId = await this.store.publishedVersion(pool.imageId);
      if (!imageVersionId) continue;
      const shape = { imageVersionId, vcpus: pool.vcpus, memoryMiB: pool.memoryMib };
      wanted.set(keyOf(shape), shape);
    }
    return [...wanted.values()];
  }

  private async prepareAll(): Promise<void> {
    for (let next = this.next(); next; next = this.next()) await this.prepare(next);
  }

  private next(): Wanted | undefined {
    if (this.stopping.signal.aborted) return undefined;
    const nowMs = this.clock.now().getTime();
    return this.wanted.find((each) => {
      const preparedIn = this.prepared.get(keyOf(each));
      if (preparedIn !== undefined) return this.round - preparedIn >= ASKED_AGAIN_AFTER_ROUNDS;
      return nowMs >= (this.failures.get(keyOf(each))?.retryAtMs ?? 0);
    });
  }

  private async prepare(wanted: Wanted): Promise<void> {
    const { imageVersionId, ...shape } = wanted;
    const key = keyOf(wanted);
    const isFirst = !this.prepared.has(key);
    const startedAtMs = this.clock.now().getTime();
    const seconds = () => Math.max(0, this.clock.now().getTime() - startedAtMs) / 1_000;
    try {
      const image = await this.images.locate(imageVersionId);
      await this.driver.prepare(image, shape, { signal: this.stopping.signal });
      this.failures.delete(key);
      this.prepared.set(key, this.round);
      if (!isFirst) return;
      this.prepareSeconds.observe({ outcome: 'done' }, seconds());
      this.logger.info({ ...wanted, seconds: seconds() }, 'machines of this shape can be forked');
    } catch (error) {
      if (this.stopping.signal.aborted) return;
      this.prepared.delete(key);
      const count = (this.failures.get(key)?.count ?? 0) + 1;
      const waitMs = Math.min(this.options.reconcileIntervalMs * 2 ** (count - 1), LONGEST_BACK_OFF_MS);
      this.failures.set(key, { count, retryAtMs: this.clock.now().getTime() + waitMs });
      this.prepareSeconds.observe({ outcome: 'failed' }, seconds());
      this.logger.warn({ ...wanted, err: error, retryInMs: waitMs }, 'machines of this shape cannot be forked yet');
    }
  }
}

const keyOf = ({ imageVersionId, vcpus, memoryMiB }: Wanted): string => `${imageVersionId} ${vcpus} ${memoryMiB}`;
