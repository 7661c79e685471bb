import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { clientAddress, readCookie, readQuery } from './read-upgrade.js';

const request = (url: string, headers: Record<string, string> = {}): IncomingMessage =>
  ({ url, headers, socket: { remoteAddress: '10.0.0.9' } }) as unknown as IncomingMessage;

describe('readQuery', () => {
  it.each([
    ['/tunnel?ticket=abc', 'abc', undefined],
    ['/tunnel?lengths=utf-16&ticket=abc', 'abc', 'utf-16'],
    ['/tunnel?lengths=other', '', undefined],
    ['/tunnel', '', undefined],
    ['/tunnel?%&%ff=%zz', '', undefined],
  ])('%s', (url, ticket, lengthUnit) => {
    expect(readQuery(request(url))).toEqual({ ticket, lengthUnit });
  });
});

describe('readCookie', () => {
  it.each([
    ['goldleaf_session=a', 'a'],
    ['x=1; goldleaf_session=a%2Fb; goldleaf_session=c', 'a/b'],
    ['goldleaf_session=%zz', '%zz'],
    ['my_goldleaf_session=a', undefined],
    [';=;', undefined],
  ])('%s', (cookie, value) => {
    expect(readCookie(request('/', { cookie }), 'goldleaf_session')).toBe(value);
  });
});

describe('clientAddress', () => {
  const forwarded = { 'x-forwarded-for': '6.6.6.6, 192.0.2.7, 10.0.0.1' };
  it.each([
    [0, '10.0.0.9'],
    [1, '10.0.0.1'],
    [2, '192.0.2.7'],
    [9, '6.6.6.6'],
  ])('believes %i proxies', (trusted, address) => {
    expect(clientAddress(request('/', forwarded), trusted)).toBe(address);
  });
});
