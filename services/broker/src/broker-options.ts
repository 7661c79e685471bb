import { basename, join, resolve } from 'node:path';
import type { AppConfig } from '#libs/config';

/** Injection token of `BrokerOptions`. */
export const BROKER_OPTIONS = Symbol('broker options');

export interface BrokerOptions {
  /** Where browsers open the tunnel: a path, or a ws(s) URL. */
  readonly tunnelUrl: string;
  /** The built portal. */
  readonly portalFolder: string;
}

/** The portal is built into dist/portal, whether the broker runs compiled or from source. */
function builtPortal(): string {
  const root = resolve(import.meta.dirname, '../../..');
  return basename(root) === 'dist' ? join(root, 'portal') : join(root, 'dist', 'portal');
}

export const brokerOptions = (config: Pick<AppConfig, 'tunnelUrl'>, portalFolder = builtPortal()): BrokerOptions => ({
  tunnelUrl: config.tunnelUrl,
  portalFolder,
});
