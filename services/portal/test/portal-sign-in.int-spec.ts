import { describe, expect, it } from '@jest/globals';
import { PortalFixture } from './portal-fixture.js';

const portal = PortalFixture.forThisFile();

describe('sign-in', () => {
  it('puts the focus on the name, asks for what is missing and keeps no password', async () => {
    await portal.page.goto(portal.origin);
    await portal.at('username').waitFor();
    await portal.until(() => portal.focusedTestId(), 'username');
    await portal.shoot('sign-in');
    await portal.at('sign-in').click();
    expect(await portal.at('message').textContent()).toContain('Enter your user name');
    await portal.signIn('wrong');
    await portal.at('message').filter({ hasText: 'name or the password is wrong' }).waitFor();
    expect(await portal.at('password').inputValue()).toBe('');
    expect(await portal.page.content()).not.toContain('wrong"');
    await portal.shoot('sign-in-wrong');
  });

  it('says that the directory is down, and not that the password is wrong', async () => {
    portal.fake.loginProblem = { status: 503, code: 'directory-unavailable' };
    await portal.page.goto(portal.origin);
    await portal.signIn();
    await portal.at('message').filter({ hasText: 'directory does not answer' }).waitFor();
  });

  it('closes the form for as long as the broker says, counting down', async () => {
    portal.fake.loginProblem = { status: 429, code: 'too-many-attempts', retryAfterSeconds: 3 };
    await portal.page.goto(portal.origin);
    await portal.signIn();
    await portal
      .at('message')
      .filter({ hasText: /in [23] seconds/ })
      .waitFor();
    expect(await portal.at('sign-in').isDisabled()).toBe(true);
    await portal.shoot('sign-in-too-many');
    await portal.at('message').filter({ hasText: 'try again now' }).waitFor();
    expect(await portal.at('sign-in').isDisabled()).toBe(false);
  });

  it('says that the server cannot be reached', async () => {
    await portal.page.goto(portal.origin);
    await portal.at('username').waitFor();
    await portal.context.setOffline(true);
    await portal.signIn();
    await portal.at('message').filter({ hasText: 'cannot be reached' }).waitFor();
  });

  it('signs out', async () => {
    await portal.page.goto(portal.origin);
    await portal.signIn();
    await portal.at('sign-out').click();
    await portal.at('message').filter({ hasText: 'signed out' }).waitFor();
    await portal.page.reload();
    await portal.at('username').waitFor();
  });
});
