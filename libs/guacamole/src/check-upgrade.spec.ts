import { describe, expect, it } from '@jest/globals';
import { hashToken } from '#libs/kernel';
import { checkUpgrade, type UpgradeFacts } from './check-upgrade.js';

const token = 'alices-token';
const claims = {
  sessionId: '7f3c1f5e-5a57-4b51-9a51-6a1ea7f9b001',
  desktopId: '7f3c1f5e-5a57-4b51-9a51-6a1ea7f9b002',
  username: 'alice',
  tokenHash: hashToken(token),
  origin: 'https://desk.example.org' as string | null,
};
const check = (origin: string | null, facts: Partial<UpgradeFacts>) => () =>
  checkUpgrade({ ...claims, origin }, { origin: undefined, sessionToken: undefined, originAllowed: false, ...facts });

describe('checkUpgrade', () => {
  it('takes the page that asked for the ticket, with its own cookie or none', () => {
    expect(check(claims.origin, { origin: 'https://desk.example.org', sessionToken: token })).not.toThrow();
    expect(check(claims.origin, { origin: 'https://desk.example.org' })).not.toThrow();
  });

  it.each(['https://evil.example.org', 'http://desk.example.org', 'null', undefined])('refuses origin %s', (origin) => {
    expect(check(claims.origin, { origin, originAllowed: true })).toThrow(
      expect.objectContaining({ code: 'origin-refused' }),
    );
  });

  it("refuses another person's ticket", () => {
    const facts = { origin: 'https://desk.example.org', sessionToken: 'bobs-token' };
    expect(check(claims.origin, facts)).toThrow(expect.objectContaining({ code: 'ticket-refused', status: 403 }));
  });

  it('takes a client that is no browser, and refuses a page that is not allowed with its ticket', () => {
    expect(check(null, {})).not.toThrow();
    expect(check(null, { origin: 'https://desk.example.org', originAllowed: true })).not.toThrow();
    expect(check(null, { origin: 'https://evil.example.org' })).toThrow(
      expect.objectContaining({ code: 'origin-refused' }),
    );
  });
});
