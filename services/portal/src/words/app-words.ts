import type { AppFailure, SessionApp, SessionAppState } from '#libs/contracts';
import type { ApiError } from '../api/api-error.js';
import { wordsForProblem } from './problem-words.js';

/** Why an application is not on the desktop, as a sentence for the person who misses it. */
export const appFailureWords: Readonly<Record<AppFailure, string>> = {
  missing: 'It could not be found in the store.',
  damaged: 'It was found damaged and was left out to keep you safe.',
  untrusted: 'It is not signed by someone your IT department trusts.',
  incompatible: 'It was made for another version of this desktop.',
  'too-slow': 'It did not arrive in time.',
  withdrawn: 'Your IT department has withdrawn it.',
  failed: 'It could not be set up.',
};

/** What a person reads beside an application of the desktop; for failed ones the reason takes its place. */
export const appStateWords: Readonly<Record<Exclude<SessionAppState, 'failed'>, string>> = {
  waiting: 'On its way',
  attaching: 'Being added',
  ready: 'Ready',
  'on-demand': 'Added when you first open it',
};

/** The one line under an application in the session's menu. */
export function wordsForSessionApp(app: SessionApp): string {
  return app.state === 'failed'
    ? `Missing. ${appFailureWords[app.reason ?? 'failed']} Click to try again.`
    : appStateWords[app.state];
}

/** What nobody needs to do anything about. */
export const workWithoutIt = 'You can work without it; IT has been told.';
export const workWithoutThem = 'You can work without them; IT has been told.';

export function wordsForAwaited(displayName: string): string {
  return `${displayName} starts as soon as your desktop has it.`;
}

/** Why an application could not be started in the desktop that the person has. */
export function wordsForAppStart(displayName: string, problem: ApiError): string {
  if (problem.status === 404) {
    return `${displayName} is not on this desktop. It comes with your next one: log off, or choose Restart clean.`;
  }
  if (problem.status === 409) return `${displayName} cannot be started just now. Try again in a moment.`;
  return wordsForProblem(problem);
}
