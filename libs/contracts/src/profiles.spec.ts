import { describe, expect, it } from '@jest/globals';
import { excludedPathSchema, poolProfileSchema } from './profiles.js';

describe('excludedPathSchema', () => {
  it.each(['.cache', '.config/chromium/Default/Cache', 'a folder/with spaces', '..name', 'a/...', 'ordner-ä'])(
    'takes %p',
    (path) => {
      expect(excludedPathSchema.safeParse(path).success).toBe(true);
    },
  );

  it.each(['', '/', '/etc', '.', '..', '../x', 'a/../b', 'a/..', 'a/./b', 'a//b', 'a/', 'a\nb', 'a\0b'])(
    'refuses %p, which is no folder below the home',
    (path) => {
      expect(excludedPathSchema.safeParse(path).success).toBe(false);
    },
  );
});

describe('poolProfileSchema', () => {
  it('needs no more than a context', () => {
    expect(poolProfileSchema.parse({ context: 'work' })).toEqual({
      ...{ context: 'work', conflict: 'roam', atLogOff: 'keep', excludedPaths: ['.cache'] },
      ...{ writeBackMinutes: 5, userMayRestore: true },
    });
  });
});
