import { describe, expect, it } from '@jest/globals';
import { profileLookupFailureSchema } from '#libs/contracts';
import { ApiError } from '../api/api-error.js';
import { LookFailed, type LookFault } from '../looks/look-into.js';
import {
  lookFaultWords,
  lookFaultWordsForIt,
  lookProblemOf,
  partsOfName,
  plainName,
  wordsForFolder,
  wordsForLookWait,
} from './look-words.js';

describe('words for looks into profiles', () => {
  const faults: LookFault[] = [...profileLookupFailureSchema.options, 'expired'];

  it.each([
    ['people', lookFaultWords],
    ['IT', lookFaultWordsForIt],
  ])('tell %s of every fault in whole sentences', (_, words) => {
    for (const fault of faults) expect(words[fault]).toMatch(/^[A-Z].*[.?]$/);
  });

  it('offer another look only where it may help', () => {
    const isLasting = (fault: LookFault) => lookProblemOf(new LookFailed(fault), lookFaultWords).isLasting;
    expect(faults.filter(isLasting)).toEqual(['not-found', 'too-large', 'damaged', 'no-key']);
    expect(lookProblemOf(new ApiError('unreachable', 0), lookFaultWords).isLasting).toBe(false);
    expect(lookProblemOf(new ApiError('forbidden', 403), lookFaultWords).isLasting).toBe(true);
  });

  it('are the reader’s own, or the server’s where it refuses', () => {
    expect(lookProblemOf(new LookFailed('no-answer'), lookFaultWordsForIt).text).toContain('provisioner');
    const refusal = new ApiError('conflict', 409, 'Wait for what you asked for before, then ask again');
    expect(lookProblemOf(refusal, lookFaultWords)).toEqual({ text: refusal.detail, isLasting: false });
  });

  it('say more the longer it takes', () => {
    expect(new Set([0, 4_999, 5_000, 19_999, 20_000, 90_000].map(wordsForLookWait)).size).toBe(3);
  });

  it.each([
    [[], 0, 'This folder is empty'],
    [[], 2, 'Only hidden files'],
    [['folder'], 0, '1 folder'],
    [['file'], 3, '1 file'],
    [['folder', 'folder', 'file', 'link', 'other'], 0, '2 folders, 3 files'],
  ] as const)('count %p', (kinds, hidden, words) => {
    expect(
      wordsForFolder(
        kinds.map((kind) => ({ kind })),
        hidden,
      ),
    ).toBe(words);
  });
});

describe('names of files', () => {
  it.each([
    ['plain Ü 日本.txt', [['plain Ü 日本.txt', false]]],
    [
      'caf\\xe9\\xff menu',
      [
        ['caf', false],
        ['\\xe9\\xff', true],
        [' menu', false],
      ],
    ],
    ['\\x0a', [['\\x0a', true]]],
    // A backslash of the name is no byte, whatever follows it.
    ['a\\\\xe9', [['a\\xe9', false]]],
    [
      '\\\\\\xe9',
      [
        ['\\', false],
        ['\\xe9', true],
      ],
    ],
  ] as const)('%p', (name, parts) => {
    expect(partsOfName(name).map(({ text, isBytes }) => [text, isBytes])).toEqual(parts);
    expect(plainName(name)).toBe(parts.map(([text]) => text).join(''));
  });
});
