import type { LogonPhaseName, PreparingReason, QueuePlace } from '#libs/contracts';

/** What each phase of a logon is called on the screen. */
export const phaseWords: Readonly<Record<LogonPhaseName, string>> = {
  authorize: 'Checking your access',
  allocate: 'Finding a free desktop',
  prepare: 'Preparing it for you',
  profile: 'Fetching your profile',
  connect: 'Connecting the screen',
};

export interface Heading {
  readonly title: string;
  readonly text: string;
}

/** Why a person who had a desktop has to wait for another one. */
export const preparingWords: Readonly<Record<PreparingReason, Heading>> = {
  logon: { title: 'Your desktop is being prepared', text: 'It appears here by itself.' },
  recycle: { title: 'Restarting clean', text: 'The old desktop is gone. A clean one is being prepared for you.' },
  'guest-reboot': {
    title: 'Your desktop restarted',
    text: 'A restart always gives a clean desktop. Preparing it now.',
  },
  'guest-poweroff': {
    title: 'Your desktop was shut down',
    text: 'A clean one is being prepared. To stop working, use Log off in the bar at the top.',
  },
  'machine-lost': {
    title: 'Your desktop stopped unexpectedly',
    text: 'That was not your doing. A clean desktop is being prepared for you.',
  },
};

const usualColdSeconds = 30;

/**
 * What a person is told while no spare was ready. `lastColdSeconds` is what it took the last time on this browser,
 * null when it never happened here.
 */
export function wordsForColdStart(lastColdSeconds: number | null): string {
  const usual = lastColdSeconds ?? usualColdSeconds;
  const rounded = Math.max(5, Math.ceil(usual / 5) * 5);
  const basis = lastColdSeconds === null ? 'This usually takes about' : 'Last time this took about';
  return `No spare desktop is free, so a new one is being started. ${basis} ${rounded} seconds.`;
}

/** Why nobody is served now, for people who know nothing of pools. */
const pausedWords: Readonly<Record<NonNullable<QueuePlace['paused']>, string>> = {
  draining: 'Your IT department gives out no new desktops here at the moment.',
  maintenance: 'Your IT department is working on these desktops, so none can be given out at the moment.',
};

/** For a person who waits for a desktop, once their place is known. */
export function wordsForQueue({ position, estimatedSeconds, paused }: QueuePlace): string {
  if (paused !== null) {
    const place = position === 1 ? 'You are first in the queue' : `You are number ${position} in the queue`;
    return `${pausedWords[paused]} ${place} and keep your place: your desktop opens here by itself as soon as it goes on.`;
  }
  const place = position === 1 ? 'You are next' : `You are number ${position} in the queue`;
  if (estimatedSeconds === null) return `${place}. Your desktop opens here by itself.`;
  const wait =
    estimatedSeconds < 60
      ? `${Math.ceil(estimatedSeconds / 5) * 5} seconds`
      : `${Math.ceil(estimatedSeconds / 60)} min`;
  return `${place}. Your desktop opens here by itself, in about ${wait}.`;
}

/** `0.8 s` below ten seconds, `24 s` above, `3 min` from two minutes on. */
export function wordsForDuration(durationMs: number): string {
  const seconds = Math.max(0, durationMs) / 1000;
  if (seconds >= 120) return `${Math.floor(seconds / 60)} min`;
  return seconds < 9.95 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
}
