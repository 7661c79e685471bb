import { describe, expect, it } from '@jest/globals';
import type { ImageVersionView } from '#libs/contracts';
import { rollBackTarget } from './roll-back-target.js';

const version = (number: number, state: ImageVersionView['state'], publishedAt: string | null): ImageVersionView => ({
  image: 'demo',
  number,
  state,
  stateChangedAt: '2026-11-23T08:00:00Z',
  digest: '',
  sizeBytes: 1,
  storedBytes: null,
  failure: null,
  publishedAt,
  hosts: [],
  createdAt: '2026-11-23T08:00:00Z',
});

describe('rollBackTarget', () => {
  it('is the older version that served last', () => {
    const versions = [
      version(5, 'retired', '2026-11-22T08:00:00Z'),
      version(4, 'published', '2026-11-23T08:00:00Z'),
      version(3, 'retired', null),
      version(2, 'retired', '2026-11-20T08:00:00Z'),
      version(1, 'retired', '2026-11-21T08:00:00Z'),
    ];
    expect(rollBackTarget(versions)?.number).toBe(1);
  });

  it('is none where nothing serves or nothing served before', () => {
    expect(rollBackTarget([version(1, 'validating', null)])).toBeNull();
    expect(rollBackTarget([version(2, 'published', null), version(1, 'retired', null)])).toBeNull();
  });
});
