import type {
  ProfileFailure,
  ProfileVersionReason,
  ProfileVersionView,
  SessionProfile,
  SessionView,
} from '#libs/contracts';
import { wordsForBytes, wordsForMoment, wordsForTime } from './amount-words.js';
import type { Heading } from './session-words.js';

/** Why the person has the desktop without their profile. */
export const profileFailureWords: Readonly<Record<ProfileFailure, string>> = {
  damaged: 'Your profile was found damaged.',
  'no-key': 'Your profile could not be decrypted.',
  'store-unavailable': 'The place where profiles are kept cannot be reached.',
  'too-slow': 'Your profile did not arrive in time.',
  failed: 'Your profile could not be opened.',
};

/** Why a version of a profile was made, for the list of versions. */
export const versionReasonWords: Readonly<Record<ProfileVersionReason, string>> = {
  first: 'When it was made',
  'write-back': 'While you worked',
  disconnect: 'When you left the desktop',
  'log-off': 'At log-off',
  recycle: 'At a clean restart',
  roamed: 'When you signed in elsewhere',
  restored: 'Put back',
};

/**
 * What a person is told who went back, once there is a newer version: a desktop that was opened meanwhile comes first.
 * @param from the number of the newest version before
 */
export function wordsForGoneBack(versions: readonly ProfileVersionView[], from: number): ['info' | 'error', string] {
  return versions.some(({ number, reason }) => number > from && reason === 'restored')
    ? ['info', 'Done. Your next desktop has your files as they were then.']
    : ['error', 'Your files were not put back: you opened a desktop in the meantime. Log off there, then try again.'];
}

/** What a person who waits for their profile reads; null while they wait for something else. */
export function wordsForProfileWait(session: Pick<SessionView, 'desktop' | 'profile'> | null): string | null {
  const profile = session?.desktop ? session.profile : null;
  if (!profile || !['waiting', 'opening'].includes(profile.state)) return null;
  if (profile.notice === 'in-use') {
    return 'Your work is being fetched from the other desktop that you used. It is saved there first, then it comes here.';
  }
  if (profile.notice === 'host-silent') {
    return 'Your work is on a desktop that does not answer. Tell your IT department: they can release it.';
  }
  return null;
}

/** What a person is told once over their desktop; null for what the bar says. */
export function profileNoticeHeading(profile: SessionProfile): Heading | null {
  const kept = profile.savedAt ? `What you did until ${wordsForMoment(profile.savedAt)} is saved.` : null;
  switch (profile.state === 'failed' ? 'not-kept' : profile.notice) {
    case 'not-kept': {
      const why = profileFailureWords[profile.reason ?? 'failed'];
      const text = `${why} Your files are not on this desktop, and what you do here is lost at log-off. IT has been told.`;
      return { title: 'Nothing that you do on this desktop is kept.', text };
    }
    case 'read-only':
      return {
        title: 'What you change on this desktop is not kept.',
        text: 'Your files are in use on another desktop. Here you see them as they were saved last. Work there, or log off there first.',
      };
    case 'older-version':
      return {
        title: 'You see an earlier state of your files.',
        text: 'What was saved last was found damaged, so this is the state before it. Some of your latest changes may be missing. IT has been told.',
      };
    case 'nearly-full':
      return { title: 'Your disk is nearly full.', text: `${wordsForSpace(profile)} Delete what you no longer need.` };
    case 'full':
      return {
        title: 'Your disk is full.',
        text: `${wordsForSpace(profile)} Nothing more can be saved on it: delete what you no longer need, or ask IT for more.`,
      };
    case 'save-failed':
      return {
        title: 'Your latest work could not be saved.',
        text: `${kept ? `${kept} ` : ''}It is tried again by itself. Stay on this desktop until it says that your work is saved.`,
      };
    default:
      return null;
  }
}

/** The few words that stay in sight for as long as it is so; null when all is well. */
export function standingWarning(profile: SessionProfile | null): string | null {
  if (!profile) return null;
  if (profile.state === 'failed' || profile.notice === 'not-kept') return 'Nothing is kept here';
  if (profile.notice === 'read-only' || profile.mode === 'read-only') return 'Changes are not kept';
  if (profile.notice === 'full') return 'Your disk is full';
  if (profile.notice === 'save-failed') {
    return profile.savedAt ? `Not saved since ${wordsForMoment(profile.savedAt)}` : 'Not saved yet';
  }
  return null;
}

/** How safe the work on the desktop is, in the bar. */
export function wordsForSaved(profile: SessionProfile): string {
  const standing = standingWarning(profile);
  if (standing && profile.notice !== 'full') return standing;
  if (profile.notice === 'saving' || profile.state === 'closing') return 'Saving your work';
  return profile.savedAt
    ? `Your work is saved as of ${wordsForMoment(profile.savedAt)}`
    : 'Your work is saved every few minutes';
}

/** `9.1 GB of 10.7 GB are used.`; empty while nobody measured it, or there is nothing to measure. */
export function wordsForSpace({ state, usedBytes, totalBytes }: SessionProfile): string {
  if (state === 'failed' || usedBytes === null || totalBytes === null) return '';
  return `${wordsForBytes(usedBytes)} of ${wordsForBytes(totalBytes)} are used.`;
}

/** Whether the person decides at log-off what becomes of their work: only where there is something to decide. */
export function asksAtLogOff(profile: SessionProfile | null): profile is SessionProfile {
  return profile?.atLogOff === 'ask' && profile.state === 'ready' && profile.mode === 'write';
}

/** What of the desktop is still there after a clean restart. */
export function wordsForRestart(profile: SessionProfile | null): string {
  const keeps = profile !== null && profile.mode === 'write' && profile.state !== 'failed';
  return keeps
    ? 'Your own files and settings are saved and come back. Everything else on this desktop is lost.'
    : 'Everything on this desktop that is not saved elsewhere is lost.';
}

/** Why a version was made; for one that was gone back to, the time that it is of where `versions` still holds that. */
export function wordsForVersionReason(
  { reason, restoredFrom }: Pick<ProfileVersionView, 'reason' | 'restoredFrom'>,
  versions: readonly Pick<ProfileVersionView, 'number' | 'createdAt'>[],
): string {
  const from = versions.find((version) => version.number === restoredFrom);
  return from ? `Went back to ${wordsForTime(from.createdAt)}` : versionReasonWords[reason];
}
