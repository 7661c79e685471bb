import { describe, expect, it } from '@jest/globals';
import { appIconSchema } from './app-layer.js';
import { assignAppSchema } from './apps.js';

describe('assignAppSchema', () => {
  it.each([0, 1.5, 3_000_000_000])('refuses version %s, which the database cannot even be asked for', (version) => {
    expect(assignAppSchema.safeParse({ version }).success).toBe(false);
    expect(assignAppSchema.safeParse({ version: 1 }).success).toBe(true);
  });
});

describe('appIconSchema', () => {
  it('refuses a picture of nothing', () => {
    expect(appIconSchema.safeParse({ mediaType: 'image/png', base64: '' }).success).toBe(false);
    expect(appIconSchema.safeParse({ mediaType: 'image/png', base64: 'AAAA' }).success).toBe(true);
  });
});
