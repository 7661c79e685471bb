import { describe, expect, it } from '@jest/globals';
import { appFailureSchema, sessionAppStateSchema } from '#libs/contracts';
import { ApiError } from '../api/api-error.js';
import { appFailureWords, appStateWords, wordsForAppStart, wordsForSessionApp } from './app-words.js';

const app = {
  name: 'gnumeric',
  displayName: 'Gnumeric',
  version: 1,
  label: '1',
  mode: 'at-logon',
  reason: null,
} as const;

describe('app words', () => {
  it('have a sentence for every reason and words for every state', () => {
    expect(Object.keys(appFailureWords).sort()).toEqual([...appFailureSchema.options].sort());
    expect([...Object.keys(appStateWords), 'failed'].sort()).toEqual([...sessionAppStateSchema.options].sort());
    for (const words of Object.values(appFailureWords)) expect(words).toMatch(/^[A-Z].+\.$/);
  });

  it('give the reason of a failure, a general one where none is known', () => {
    expect(wordsForSessionApp({ ...app, state: 'failed', reason: 'withdrawn' })).toContain('has withdrawn it');
    expect(wordsForSessionApp({ ...app, state: 'failed' })).toContain('could not be set up');
    expect(wordsForSessionApp({ ...app, state: 'waiting' })).toBe('On its way');
  });

  it('say why one does not start', () => {
    expect(wordsForAppStart('Gnumeric', new ApiError('not-found', 404))).toContain('Gnumeric is not on this desktop');
    expect(wordsForAppStart('Gnumeric', new ApiError('conflict', 409))).toContain('Try again in a moment');
    expect(wordsForAppStart('Gnumeric', new ApiError('unreachable', 0))).toContain('cannot be reached');
  });
});
