import type { LengthUnit, RelayLimits } from '#libs/guacamole';

export interface GatewayOptions {
  readonly guacd: { readonly host: string; readonly port: number };
  /** How far `x-forwarded-for` is believed: false, or the number of proxies in front. */
  readonly trustedProxies: number;
  /** Tunnels that this process carries at most. */
  readonly maxTunnels: number;
  /** Refused upgrades that one address may cause in a burst; they are given back at `refusalsPerSecond`. */
  readonly refusalBurst: number;
  readonly refusalsPerSecond: number;
  readonly heartbeatEveryMs: number;
  readonly handshakeTimeoutMs: number;
  /** How long a stopping gateway waits for its tunnels to close. */
  readonly stopTimeoutMs: number;
  /** What a browser counts that does not say it in the query (`lengths=code-points` or `lengths=utf-16`). */
  readonly lengthUnit: LengthUnit;
  readonly limits?: Partial<RelayLimits>;
}

export const defaultGatewayOptions: Omit<GatewayOptions, 'guacd'> = {
  trustedProxies: 0,
  maxTunnels: 1_000,
  refusalBurst: 30,
  refusalsPerSecond: 1,
  heartbeatEveryMs: 5_000,
  handshakeTimeoutMs: 10_000,
  stopTimeoutMs: 3_000,
  lengthUnit: 'code-points',
};
