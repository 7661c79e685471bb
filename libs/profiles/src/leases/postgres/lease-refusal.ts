import { LeaseError, type LeaseErrorCode } from '../lease-error.js';

/** What the triggers of the migration say, by the constraint that they name. */
const codes: Readonly<Record<string, LeaseErrorCode>> = {
  profile_lease_lost: 'lost',
  profile_version_stale: 'stale',
  profile_volume_deleted: 'deleted',
  profile_version_missing: 'not-found',
};

/** The error as callers of the port know it; others as they are. */
export function asLeaseError(error: unknown): unknown {
  const { constraint, message } = error as { constraint?: unknown; message?: unknown };
  const code = typeof constraint === 'string' ? codes[constraint] : undefined;
  return code ? new LeaseError(code, String(message), { cause: error }) : error;
}
