import type { Logger } from 'pino';

export interface S3ObjectStoreOptions {
  readonly bucket: string;
  readonly region: string;
  /** Of an S3-compatible server; without it, Amazon's for the region. */
  readonly endpoint?: string;
  /** Bucket in the path instead of the host name, as most other servers want it. */
  readonly forcePathStyle?: boolean;
  /** Without them, the SDK's own chain (environment, instance role). */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Put before every key, e.g. `goldleaf/`. */
  readonly keyPrefix?: string;
  readonly connectTimeoutMs?: number;
  /** For one attempt. */
  readonly requestTimeoutMs?: number;
  /** The first one counts. */
  readonly maxAttempts?: number;
  readonly logger: Logger;
}
