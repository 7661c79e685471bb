import type { ApiError } from '../api/api-error.js';

const words: Readonly<Record<string, string>> = {
  'invalid-credentials': 'The user name or the password is wrong.',
  'not-signed-in': 'Your sign-in has ended. Sign in again.',
  forbidden: 'You are not allowed to use this. Ask your IT department if you think you should be.',
  'origin-refused': 'This address may not use Goldleaf. Open it at the address your IT department gave you.',
  'not-found': 'This is no longer there.',
  conflict: 'That is not possible just now. Try again in a moment.',
  'invalid-request': 'The server did not understand the request. Reload the page and try again.',
  'directory-unavailable':
    'The user directory does not answer, so nobody can sign in just now. Your password was not checked. Try again in a minute.',
  unavailable: 'A part of the system does not answer just now. Try again in a moment.',
  unreachable: 'The server cannot be reached. Check the network cable or Wi-Fi, then try again.',
  unreadable: 'The server gave an answer that this page does not understand. Reload the page.',
  internal: 'Something went wrong on the server. Try again in a moment.',
};

/** What a person is told about a failed call; unknown codes get the server's own sentence, or a general one. */
export function wordsForProblem(error: ApiError): string {
  if (error.code === 'too-many-attempts') return wordsForTooManyAttempts(error.retryAfterSeconds ?? 0);
  return words[error.code] ?? error.detail ?? 'Something went wrong. Try again in a moment.';
}

/** The sentence under a sign-in form that is closed for `secondsLeft` more seconds. */
export function wordsForTooManyAttempts(secondsLeft: number): string {
  if (secondsLeft <= 0) return 'Too many failed attempts. You can try again now.';
  return `Too many failed attempts. Try again in ${wordsForSeconds(secondsLeft)}.`;
}

/** `45 seconds`, `1 minute`, `2 min 5 s`. */
export function wordsForSeconds(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole < 60) return whole === 1 ? '1 second' : `${whole} seconds`;
  const minutes = Math.floor(whole / 60);
  const rest = whole % 60;
  if (rest === 0) return minutes === 1 ? '1 minute' : `${minutes} minutes`;
  return `${minutes} min ${rest} s`;
}
