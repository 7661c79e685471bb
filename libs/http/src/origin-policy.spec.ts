import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { OriginPolicy } from './origin-policy.js';

const request = (method: string, headers: Record<string, string>): IncomingMessage =>
  ({
    method,
    headers: { host: 'desk.example.org', ...headers },
    socket: { remoteAddress: '::ffff:127.0.0.1' },
  }) as unknown as IncomingMessage;

const options = { allowedOrigins: ['https://portal.example.org/'], trustProxy: false } as const;
const policy = new OriginPolicy(options);
const cookie = 'theme=x; goldleaf_session=abc';

describe('OriginPolicy', () => {
  it('lets pages of the own host and named origins in, no others', () => {
    const allows = (origin: string, host = 'desk.example.org') => policy.allows(request('GET', { origin, host }));
    expect(allows('http://desk.example.org')).toBe(true);
    expect(allows('https://desk.example.org')).toBe(true);
    expect(allows('http://127.0.0.1:8080', '127.0.0.1:8080')).toBe(true);
    expect(allows('https://portal.example.org')).toBe(true);
    for (const foreign of [
      'https://evil.example.org',
      'https://desk.example.org.evil.net',
      'http://desk.example.org:81',
      'http://portal.example.org',
      'null',
      'file://desk.example.org',
      'rubbish',
    ]) {
      expect([foreign, allows(foreign)]).toEqual([foreign, false]);
    }
  });

  it('believes forwarded headers only of a trusted proxy', () => {
    const forwarded = request('GET', {
      origin: 'https://out.example.org',
      'x-forwarded-host': 'out.example.org',
      'x-forwarded-proto': 'https',
    });
    expect(policy.allows(forwarded)).toBe(false);
    expect(policy.isSecure(forwarded)).toBe(false);
    expect(new OriginPolicy({ ...options, trustProxy: '10.0.0.0/8, ::2' }).allows(forwarded)).toBe(false);
    expect(new OriginPolicy({ ...options, trustProxy: 1 }).allows(forwarded)).toBe(true);
    const behindProxy = new OriginPolicy({ ...options, trustProxy: 'loopback' });
    expect(behindProxy.allows(forwarded)).toBe(true);
    expect(behindProxy.isSecure(forwarded)).toBe(true);
    const downgraded = request('GET', { origin: 'http://desk.example.org', 'x-forwarded-proto': 'https' });
    expect(behindProxy.allows(downgraded)).toBe(false);
  });

  it('refuses state changes that another page could have caused', () => {
    const check = (method: string, headers: Record<string, string>) => () =>
      policy.checkStateChange(request(method, headers));
    expect(check('POST', { cookie })).toThrow('Origin');
    expect(check('DELETE', { cookie, origin: 'https://evil.example.org' })).toThrow();
    expect(check('POST', { cookie, 'sec-fetch-site': 'same-site' })).toThrow();
    expect(check('POST', { origin: 'https://evil.example.org' })).toThrow();
    expect(check('GET', { cookie })).not.toThrow();
    expect(check('POST', { cookie, origin: 'http://desk.example.org' })).not.toThrow();
    expect(check('POST', { cookie, 'sec-fetch-site': 'same-origin' })).not.toThrow();
    expect(check('POST', {})).not.toThrow();
    expect(check('POST', { cookie, authorization: 'Bearer x', origin: 'https://evil.example.org' })).not.toThrow();
  });

  it('refuses upgrades by foreign pages, and by cookie without an origin', () => {
    const check = (headers: Record<string, string>) => () => policy.checkUpgrade(request('GET', headers));
    expect(check({ origin: 'https://evil.example.org' })).toThrow();
    expect(check({ cookie })).toThrow();
    expect(check({ cookie, origin: 'http://desk.example.org' })).not.toThrow();
    expect(check({ authorization: 'Bearer x' })).not.toThrow();
  });
});
