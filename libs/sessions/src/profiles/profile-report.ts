import type { ProfileFailure, ProfileMode, ProfileNotice, SessionProfileState } from '#libs/contracts';

/** What a provisioner tells of the profile on a desktop. What is left out stays as it is. */
export interface ProfileReport {
  readonly state: SessionProfileState;
  readonly volumeId?: string;
  readonly mode?: ProfileMode;
  /** The version that the machine reads from; null: the volume's first use. */
  readonly baseNumber?: number | null;
  readonly usedBytes?: number;
  readonly totalBytes?: number;
  /** `done`: what was written until now is safe, also when that was nothing. `failed`: tried again after a minute. */
  readonly save?: 'done' | 'failed';
  /** Instead of the one that follows from the rest. */
  readonly notice?: ProfileNotice | null;
  /** For `failed`, and only then: what the person is told. */
  readonly reason?: ProfileFailure;
  /** For IT: what went wrong. Never a secret. A report of the next state, or of a save that is done, forgets it. */
  readonly detail?: string;
}

/** What is known of the profile on a desktop, as far as it says what the person is told. */
export interface ProfileSoFar {
  readonly state: SessionProfileState;
  readonly mode: ProfileMode;
  readonly usedBytes: number | null;
  readonly totalBytes: number | null;
  readonly notice: ProfileNotice | null;
}

const NEARLY_FULL = 0.9;
const FULL = 0.99;

/** What the person is told after a report. */
export function noticeAfter(before: ProfileSoFar, report: ProfileReport): ProfileNotice | null {
  if (report.state === 'failed') return 'not-kept';
  // For the whole session: a save says nothing of what is missing.
  const lasting = before.notice === 'older-version' && report.state === before.state ? before.notice : null;
  if (report.notice === 'saving') return lasting ?? report.notice;
  if (report.notice !== undefined) return report.notice;
  if (report.state !== 'ready') return report.state === before.state ? before.notice : null;
  if ((report.mode ?? before.mode) === 'read-only') return lasting ?? 'read-only';
  if (report.save === 'failed') return 'save-failed';
  if (before.notice === 'save-failed' && report.save === undefined) return before.notice;
  const used = report.usedBytes ?? before.usedBytes;
  const total = report.totalBytes ?? before.totalBytes;
  if (used !== null && total !== null && total > 0) {
    if (used >= total * FULL) return 'full';
    if (used >= total * NEARLY_FULL) return 'nearly-full';
  }
  return lasting;
}
