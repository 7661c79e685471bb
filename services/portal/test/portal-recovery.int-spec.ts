import { describe, expect, it } from '@jest/globals';
import { pixelAt } from './portal-browser.js';
import { PortalFixture } from './portal-fixture.js';

const portal = PortalFixture.forThisFile();

describe('what becomes of a desktop in use', () => {
  it.each([
    ['guest-reboot', 'Your desktop restarted'],
    ['guest-poweroff', 'was shut down'],
    ['machine-lost', 'stopped unexpectedly'],
  ] as const)('says why and comes back by itself after %s', async (reason, words) => {
    await portal.openDesktop();
    portal.fake.sessions.holdAt = 'prepare';
    portal.fake.loseDesktop(reason);
    await portal.at('overlay').filter({ hasText: words }).waitFor();
    portal.fake.sessions.release();
    await portal.connected();
    expect(portal.fake.ticketsRedeemed).toBe(2);
  });

  it('reconnects with a new ticket after the tunnel was lost, keeping the last picture', async () => {
    await portal.openDesktop();
    portal.fake.cutTunnels(true);
    await portal.at('overlay').filter({ hasText: 'Reconnecting' }).waitFor();
    expect(await pixelAt(portal.page, 5, 5)).toEqual([44, 74, 92]);
    await portal.shoot('reconnecting');
    portal.fake.acceptAgain();
    await portal.connected();
    expect(portal.fake.ticketsRedeemed).toBe(2);
  });

  it('learns of a new desktop even while the events are down', async () => {
    await portal.openDesktop();
    portal.fake.sessions.holdAt = 'prepare';
    portal.fake.cutEvents();
    portal.fake.loseDesktop('guest-reboot');
    await portal.at('overlay').filter({ hasText: 'Your desktop restarted' }).waitFor();
    portal.fake.sessions.release();
    await portal.connected();
  });

  it('gives way to another window and can be taken back', async () => {
    await portal.openDesktop();
    const first = portal.page;
    portal.page = await portal.context.newPage();
    await portal.page.goto(portal.origin);
    await portal.at('open-call-center').filter({ hasText: 'Return to your desktop' }).waitFor();
    await portal.shoot('pools-live');
    await portal.at('open-call-center').click();
    await portal.connected();
    const second = portal.page;
    portal.page = first;
    await portal.at('overlay').filter({ hasText: 'open in another window' }).waitFor();
    await portal.shoot('conflict');
    await portal.at('use-here').click();
    await portal.connected();
    await second.locator('[data-testid=overlay]').filter({ hasText: 'open in another window' }).waitFor();
    expect(portal.fake.ticketsRedeemed).toBe(3);
  });

  it('is there again after a reload, and Back leads to the pools', async () => {
    await portal.openDesktop();
    await portal.page.reload();
    await portal.connected();
    await portal.page.goBack();
    await portal.at('open-call-center').filter({ hasText: 'Return to your desktop' }).waitFor();
  });

  it('goes back to the pools with the reason when the desktop in use fails', async () => {
    await portal.openDesktop();
    portal.fake.endSessions('failed', 'The host of your desktop is gone.');
    await portal.at('message').filter({ hasText: 'The host of your desktop is gone.' }).waitFor();
    await portal.at('open-call-center').waitFor();
  });

  it('asks for a new sign-in when the old one has ended', async () => {
    await portal.openDesktop();
    portal.fake.revokeSignIns();
    portal.fake.cutTunnels();
    await portal.at('message').filter({ hasText: 'Your sign-in has ended' }).waitFor();
    await portal.at('username').waitFor();
  });
});
