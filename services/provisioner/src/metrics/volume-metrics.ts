import { Injectable } from '@nestjs/common';
import { Metrics } from '#libs/telemetry';
import { ChunkCache, type NbdMetrics, VolumeStore } from '#libs/volumes';

/** Counts what machines of this host read of their volumes. */
@Injectable()
export class VolumeMetrics {
  /** For the NBD servers of all machines. */
  readonly nbd: NbdMetrics;
  private countAttached = (): number => 0;

  constructor(metrics: Metrics, store: VolumeStore, cache: ChunkCache) {
    const errors = metrics.counter({
      name: 'goldleaf_nbd_errors_total',
      help: 'Requests of machines to their volumes that were answered with an error',
      labelNames: ['command', 'error'],
    });
    this.nbd = {
      onRequest: ({ command, outcome }) => {
        if (outcome !== 'ok' && outcome !== 'cancelled') errors.inc({ command, error: outcome });
      },
    };
    metrics.counter({
      name: 'goldleaf_volume_read_bytes_total',
      help: 'Read of volumes: `store` as fetched, compressed; `cache` as this host had it already',
      labelNames: ['source'],
      collect() {
        this.reset();
        this.inc({ source: 'store' }, store.fetched.fetchedBytes);
        this.inc({ source: 'cache' }, cache.counts.hitBytes);
      },
    });
    const attached = () => this.countAttached();
    metrics.gauge({
      name: 'goldleaf_apps_attached',
      help: 'Volumes of applications that machines of this host have',
      collect() {
        this.set(attached());
      },
    });
  }

  /** @param count asked at each scrape */
  attached(count: () => number): void {
    this.countAttached = count;
  }
}
