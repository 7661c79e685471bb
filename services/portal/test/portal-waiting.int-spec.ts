import { describe, expect, it } from '@jest/globals';
import type { QueuePlace } from '#libs/contracts';
import { PortalFixture } from './portal-fixture.js';

const portal = PortalFixture.forThisFile();

/** A person who clicked a pool that has no desktop for them. */
async function waitAt(queue: QueuePlace): Promise<(next: QueuePlace | null) => void> {
  portal.fake.sessions.holdAt = 'allocate';
  await portal.page.goto(portal.origin);
  await portal.signIn();
  await portal.at('open-call-center').click();
  await portal.until(() => portal.fake.sessions.all().length, 1);
  const move = (next: QueuePlace | null): void => {
    const [session] = portal.fake.sessions.all();
    if (session) portal.fake.sessions.change(session, { queue: next });
  };
  move(queue);
  return move;
}

const text = () => portal.page.locator('.progress-text');

describe('waiting for a desktop', () => {
  it('shows the place and the time, and the desktop when it is there', async () => {
    const move = await waitAt({ position: 3, estimatedSeconds: 130, paused: null });
    await text().filter({ hasText: 'You are number 3 in the queue' }).waitFor();
    expect(await text().textContent()).toContain('in about 3 min');
    await portal.shoot('waiting');
    move({ position: 1, estimatedSeconds: 20, paused: null });
    await text().filter({ hasText: 'You are next' }).waitFor();
    move(null);
    portal.fake.sessions.release();
    await portal.connected();
  });

  it.each([
    ['draining', 'gives out no new desktops here at the moment'],
    ['maintenance', 'working on these desktops'],
  ] as const)('says so at once when the pool is in %s, and goes on by itself', async (paused, words) => {
    // At once: no time passes for the page, which tells of queues and looks for news after a while, too.
    await portal.page.clock.install({ time: 0 });
    await portal.page.clock.pauseAt(1_000);
    const move = await waitAt({ position: 2, estimatedSeconds: null, paused });
    await text().filter({ hasText: words }).waitFor();
    expect(await text().textContent()).toContain('You are number 2 in the queue and keep your place');
    await portal.page.clock.resume();
    await portal.shoot(`waiting-${paused}`);
    move({ position: 1, estimatedSeconds: 5, paused: null });
    await text().filter({ hasText: 'You are next' }).waitFor();
    portal.fake.sessions.release();
    await portal.connected();
  });
});
