import type { SessionProfile } from '#libs/contracts';

/** The profile on a desktop where all is well. */
export const sessionProfile = (more: Partial<SessionProfile> = {}): SessionProfile => ({
  context: 'work',
  state: 'ready',
  mode: 'write',
  notice: null,
  reason: null,
  usedBytes: 3_200_000_000,
  totalBytes: 10_700_000_000,
  savedAt: new Date().toISOString(),
  atLogOff: 'keep',
  ...more,
});
