import type { Metrics } from '#libs/telemetry';

const seconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What operators see of a gateway. */
export class GatewayMetrics {
  readonly open;
  readonly refused;
  readonly closed;
  readonly bytes;
  readonly denied;
  readonly handshakeSeconds;
  readonly firstFrameSeconds;

  /** @param bufferedBytes what the tunnels hold in memory now */
  constructor(metrics: Metrics, bufferedBytes: () => number) {
    metrics.gauge({
      name: 'goldleaf_gateway_buffered_bytes',
      help: 'Bytes of all tunnels that wait in memory for a slow browser or guacd',
      labelNames: [],
      collect() {
        this.set(bufferedBytes());
      },
    });
    this.open = metrics.tunnels;
    this.refused = metrics.counter({
      name: 'goldleaf_gateway_refused_total',
      help: 'Upgrades refused, by problem code',
      labelNames: ['code'],
    });
    this.closed = metrics.counter({
      name: 'goldleaf_gateway_closed_total',
      help: 'Tunnels closed, by reason',
      labelNames: ['reason'],
    });
    this.bytes = metrics.counter({
      name: 'goldleaf_gateway_bytes_total',
      help: 'Bytes carried, by direction (browser, guacd)',
      labelNames: ['to'],
    });
    this.denied = metrics.counter({
      name: 'goldleaf_gateway_denied_instructions_total',
      help: 'Instructions of browsers that were left out',
      labelNames: [],
    });
    this.handshakeSeconds = metrics.histogram({
      name: 'goldleaf_gateway_handshake_seconds',
      help: 'From the TCP connection to guacd to its ready',
      labelNames: [],
      buckets: seconds,
    });
    this.firstFrameSeconds = metrics.histogram({
      name: 'goldleaf_gateway_first_frame_seconds',
      help: 'From the accepted upgrade to the first frame',
      labelNames: [],
      buckets: seconds,
    });
  }
}
