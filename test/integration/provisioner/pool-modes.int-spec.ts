import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HostService, PoolService } from '#libs/desktops';
import { SessionService } from '#libs/sessions';
import { until } from '#libs/testing';
import { FleetFixture } from './fleet-fixture.js';

const person = (username: string) => ({ username, roles: ['call-center'] });
const alice = person('alice');

describe('modes of pools and hosts', () => {
  let fleet: FleetFixture;

  beforeEach(async () => {
    fleet = await FleetFixture.create();
    await fleet.addHost('host-1');
    await fleet.publish();
    await fleet.addPool();
    await fleet.settled(2);
  });
  afterEach(() => fleet?.destroy());

  const open = (who: typeof alice) => fleet.app.get(SessionService).open(who, { pool: 'call-center' });
  const setMode = (mode: 'active' | 'draining' | 'maintenance') =>
    fleet.app.get(PoolService).update('call-center', { mode }, 'ivan');

  it('a draining pool gives its spares up, keeps who has a session, and serves newcomers once it is active', async () => {
    const session = await open(alice);
    await fleet.settled(2);
    await setMode('draining');
    await fleet.settled(0);
    const first = await open(person('bob'));
    // Times are known by now; whoever is not served has no use for them.
    expect((await fleet.pool()).queue).toEqual({ length: 1, estimatedSeconds: null });
    const second = await open(person('dave'));
    expect([first.queue, second.queue]).toEqual([
      { position: 1, estimatedSeconds: null, paused: 'draining' },
      { position: 2, estimatedSeconds: null, paused: 'draining' },
    ]);
    expect((await fleet.view(session.id)).desktop).toEqual(session.desktop);

    // Her restart passes those who wait, and makes one desktop: hers.
    const old = session.desktop?.id;
    await fleet.app.get(SessionService).recycle(alice, session.id);
    const again = await fleet.session(session.id, 'ready again', ({ state }) => state === 'ready');
    expect(again.desktop?.id).not.toBe(old);
    await fleet.settled(0);
    expect((await fleet.pool()).counts).toMatchObject({ assigned: 1, waiting: 2 });
    expect(fleet.hosts[0]?.machines.machines.size).toBe(1);

    await setMode('active');
    for (const { id } of [first, second]) await fleet.session(id, 'served', ({ state }) => state === 'ready');
    await fleet.settled(2);
    expect((await fleet.pool()).refusals).toBe(0);
  });

  it('a pool under maintenance makes nothing, also for a restart, and goes on where it was', async () => {
    const session = await open(alice);
    await fleet.settled(2);
    await setMode('maintenance');
    await fleet.settled(0);
    await fleet.app.get(SessionService).recycle(alice, session.id);
    const waiting = await open(person('bob'));
    expect(waiting.queue).toEqual({ position: 2, estimatedSeconds: null, paused: 'maintenance' });
    await until('nothing runs', async () => fleet.hosts[0]?.machines.machines.size === 0);
    const held = await fleet.view(session.id);
    expect([held.state, held.queue?.paused]).toEqual(['preparing', 'maintenance']);
    // For those who lost theirs draining is less than maintenance.
    await setMode('draining');
    await fleet.session(session.id, 'served first', ({ state }) => state === 'ready');
    expect((await fleet.view(waiting.id)).queue?.paused).toBe('draining');
    await setMode('active');
    await fleet.session(waiting.id, 'served', ({ state }) => state === 'ready');
  });

  it('resizes: more spares at once, fewer when the floor is lowered', async () => {
    const pools = fleet.app.get(PoolService);
    await pools.update('call-center', { spares: 4 }, 'ivan');
    await fleet.settled(4);
    await pools.update('call-center', { spares: 1, max: 2 }, 'ivan');
    await fleet.settled(1);
    expect(fleet.hosts[0]?.machines.machines.size).toBe(1);
  });

  it('the spares of a draining host move to the other one, and its desktops in use stay', async () => {
    const session = await open(alice);
    await fleet.settled(2);
    await fleet.addHost('host-2');
    const [first, second] = fleet.hosts;
    const host = await fleet.app.get(HostService).update('host-1', { mode: 'draining' }, 'ivan');
    expect(host).toMatchObject({ name: 'host-1', mode: 'draining', online: true });
    await until('spares on the other host only', async () => second?.machines.machines.size === 2);
    await fleet.settled(2);
    expect([...(first?.machines.machines.keys() ?? [])]).toEqual([session.desktop?.id]);
    expect((await fleet.view(session.id)).desktop).toEqual(session.desktop);

    await fleet.app.get(HostService).update('host-1', { mode: 'active' }, 'ivan');
    await fleet.app.get(PoolService).update('call-center', { spares: 4 }, 'ivan');
    await until('used again', async () => (first?.machines.machines.size ?? 0) > 1);
    await expect(fleet.app.get(HostService).update('nowhere', { mode: 'active' }, 'ivan')).rejects.toMatchObject({
      code: 'not-found',
    });
  });
});
