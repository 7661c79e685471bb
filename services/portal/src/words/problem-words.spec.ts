import { describe, expect, it } from '@jest/globals';
import { ApiError } from '../api/api-error.js';
import { wordsForProblem, wordsForSeconds, wordsForTooManyAttempts } from './problem-words.js';

/** The codes a browser can meet (libs/kernel errors, which the portal may not import, plus the client's own two). */
const codes = [
  'invalid-request',
  'not-signed-in',
  'invalid-credentials',
  'forbidden',
  'origin-refused',
  'not-found',
  'conflict',
  'too-many-attempts',
  'internal',
  'directory-unavailable',
  'unavailable',
  'unreachable',
  'unreadable',
];

describe('wordsForProblem', () => {
  it.each(codes)('has a sentence of its own for %s', (code) => {
    const sentence = wordsForProblem(new ApiError(code, 500, 'from the server'));
    expect(sentence).toMatch(/^[A-Z].*\.$/);
    expect(sentence).not.toContain(code);
    expect(sentence).not.toBe('from the server');
  });

  it('does not blame the password when the directory is down', () => {
    expect(wordsForProblem(new ApiError('directory-unavailable', 503))).toContain('was not checked');
  });

  it("falls back to the server's sentence, then to a general one", () => {
    expect(wordsForProblem(new ApiError('brand-new', 409, 'The pool is closed.'))).toBe('The pool is closed.');
    expect(wordsForProblem(new ApiError('brand-new', 409))).toContain('Something went wrong');
  });
});

describe('wordsForTooManyAttempts', () => {
  it('counts down and then lets the person try', () => {
    expect(wordsForTooManyAttempts(31)).toContain('in 31 seconds');
    expect(wordsForTooManyAttempts(0)).toContain('try again now');
  });
});

describe('wordsForSeconds', () => {
  it.each([
    [0.2, '1 second'],
    [59, '59 seconds'],
    [60, '1 minute'],
    [125, '2 min 5 s'],
    [180, '3 minutes'],
  ])('%d reads %s', (seconds, text) => expect(wordsForSeconds(seconds)).toBe(text));
});
