import { describe, expect, it } from '@jest/globals';
import { hrefOf, type ProfilePlace, parseProfilePlace } from './profile-place.js';

describe('places in a profile', () => {
  const places: [string, ProfilePlace][] = [
    ['#/profile/work', { context: 'work', look: null }],
    ['#/profile/work/9', { context: 'work', look: { number: 9, path: '' } }],
    ['#/profile/work/9/a%20b/%23%3F%25/%5Cxff', { context: 'work', look: { number: 9, path: 'a b/#?%/\\xff' } }],
  ];

  it.each(places)('%s is read and written', (href, place) => {
    expect(parseProfilePlace(href)).toEqual(place);
    expect(hrefOf(place)).toBe(href);
  });

  it.each([
    '',
    '#/',
    '#/desktop/work',
    '#/profile/',
    '#/profile/Work',
    '#/profile/..',
    '#/profile/a%2Fb',
    '#/profile/work/',
    '#/profile/work/0',
    '#/profile/work/9x',
  ])('%s is none', (hash) => {
    expect(parseProfilePlace(hash)).toBeNull();
  });

  it('are read though somebody typed them wrongly', () => {
    expect(parseProfilePlace('#/profile/work/9/50%')?.look?.path).toBe('50%');
  });
});
