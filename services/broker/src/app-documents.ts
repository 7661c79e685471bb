import type { LargeBodies } from '#libs/http';

/** Signed documents of application layers: 512 KiB of JSON, which grows when it is quoted within JSON. */
export const appDocuments: LargeBodies = {
  method: 'POST',
  path: /^\/api\/v1\/apps\/[^/]+\/versions(\?|$)/,
  limitBytes: 1024 * 1024,
};
