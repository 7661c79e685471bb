import type { ApiError } from '../api/api-error.js';
import { wordsForProblem } from './problem-words.js';

/** Why the broker did not do what IT asked: its own sentence where it gave one, since that names what is in the way. */
export function wordsForRefusal(problem: ApiError): string {
  const own = ['conflict', 'invalid-request', 'not-found'].includes(problem.code) ? problem.detail : null;
  return own ?? wordsForProblem(problem);
}
