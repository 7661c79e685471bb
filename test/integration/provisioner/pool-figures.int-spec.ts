import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { DesktopQueries, PoolService } from '#libs/desktops';
import { FakeHost } from '#libs/hypervisor';
import { SessionService } from '#libs/sessions';
import { newCorrelationId, runWithCorrelation } from '#libs/telemetry';
import { until } from '#libs/testing';
import { FleetFixture, type FleetHost } from './fleet-fixture.js';

const alice = { username: 'alice', roles: ['call-center'] };
const bob = { ...alice, username: 'bob' };

describe('what operators see', () => {
  let fleet: FleetFixture;
  let host: FleetHost;

  beforeEach(async () => {
    fleet = await FleetFixture.create();
    host = await fleet.addHost('host-1', new FakeHost({ forks: true, createTimeMs: 30 }));
    await fleet.publish();
    await fleet.addPool();
    await fleet.settled(2);
  });
  afterEach(() => fleet?.destroy());

  const open = (who: typeof alice) => fleet.app.get(SessionService).open(who, { pool: 'call-center' });

  /** The lines of a metric, as `labels value`. */
  async function scrape(name: string): Promise<string[]> {
    const lines = (await host.metrics.registry.metrics()).split('\n');
    return lines.filter((line) => new RegExp(`^${name}[{ ]`).test(line)).map((line) => line.slice(name.length));
  }
  const shows = (name: string, line: string) =>
    until(`${name}${line}`, async () => (await scrape(name)).includes(line)).catch(async (error: unknown) => {
      throw new Error(`${String(error)}; there is ${JSON.stringify(await scrape(name))}`);
    });

  it('how machines were started and what memory they hold', async () => {
    host.machines.memoryOf = () => ({ privateMiB: 44.4, sharedMiB: 180.6, proportionalMiB: 60 });
    const session = await open(alice);
    await fleet.settled(2);
    const pool = await until('memory of all three', async () => {
      const view = await fleet.pool();
      return view.memory?.desktops === 3 && view;
    });
    expect(pool.memory).toEqual({ privateMiB: 44, sharedMiB: 181, desktops: 3 });
    expect(pool.forkTimes).toMatchObject({ method: 'fork', count: 3 });
    expect(pool.forkTimes?.p50Ms).toBeGreaterThanOrEqual(29);
    expect(pool.forkTimes?.p95Ms).toBeGreaterThanOrEqual(pool.forkTimes?.p50Ms ?? Infinity);
    const desktop = await fleet.app.get(DesktopQueries).view(session.desktop?.id ?? '');
    expect(desktop).toMatchObject({ start: { method: 'fork' }, memory: { privateMiB: 44, sharedMiB: 181 } });
    await shows('goldleaf_desktop_memory_mib', '{pool="call-center",kind="private"} 44');
    await shows('goldleaf_desktop_memory_mib', '{pool="call-center",kind="shared"} 181');
    expect(await scrape('goldleaf_machine_start_seconds_count')).toEqual(['{pool="call-center",method="fork"} 3']);
  });

  it('counts, queue, refusals and quarantine', async () => {
    await fleet.app.get(PoolService).update('call-center', { mode: 'maintenance' }, 'ivan');
    await fleet.settled(0);
    await open(alice);
    await open(bob);
    await shows('goldleaf_pool_queue_length', '{pool="call-center"} 2');
    await shows('goldleaf_pool_spares_wanted', '{pool="call-center"} 0');
    expect(await scrape('goldleaf_pool_queue_estimate_seconds')).toEqual([]);
    expect((await fleet.pool()).queue).toEqual({ length: 2, estimatedSeconds: null });
    await fleet.app.get(PoolService).update('call-center', { mode: 'active' }, 'ivan');
    await fleet.settled(2);
    await shows('goldleaf_pool_queue_length', '{pool="call-center"} 0');
    await shows('goldleaf_pool_spares_wanted', '{pool="call-center"} 2');
    await shows('goldleaf_pool_desktops', '{pool="call-center",state="assigned"} 2');
    await shows('goldleaf_pool_refusals_total', '{pool="call-center"} 0');

    for (let attempt = 0; attempt < 4; attempt += 1) host.machines.failNext('failed', 'destroy');
    const session = await open(alice);
    await fleet.app.get(SessionService).logOff(alice, session.id);
    await shows('goldleaf_desktops_quarantined', '{pool="call-center",reason="could-not-be-destroyed"} 1');
    const { quarantined } = await fleet.pool();
    expect(quarantined).toEqual([
      {
        desktopId: session.desktop?.id,
        host: 'host-1',
        reason: expect.stringContaining('could not be destroyed'),
        since: expect.stringMatching(/^\d{4}-.*Z$/),
      },
    ]);
    // A reason that is no more must not be told on and on.
    await fleet.database.dataSource.query(`UPDATE desktops SET state = 'deleted' WHERE state = 'quarantined'`);
    await until('no longer told', async () => (await scrape('goldleaf_desktops_quarantined')).length === 0);
    await fleet.database.dataSource.query(`UPDATE sessions SET state = 'failed' WHERE username = 'bob'`);
    await shows('goldleaf_pool_refusals_total', '{pool="call-center"} 1');
    expect((await fleet.pool()).refusals).toBe(1);
    // Counted from the rows each time, and not once more in each round.
    await fleet.app.get(PoolService).update('call-center', { spares: 1 }, 'ivan');
    await shows('goldleaf_pool_spares_wanted', '{pool="call-center"} 1');
    expect(await scrape('goldleaf_pool_refusals_total')).toEqual(['{pool="call-center"} 1']);
  });

  it('how soon a pool begins to refill', async () => {
    const count = async () => Number((await scrape('goldleaf_refill_start_seconds_count'))[0] ?? '0');
    // A round of the reconciler that happens to order the desktop first knows of no logon, so one logon may not count.
    let logons = 0;
    const measured = await until('refills measured', async () => {
      logons += 1;
      const who = { ...alice, username: `person-${logons}` };
      // Each request that reaches a broker has a correlation id, and what follows from it carries it on.
      const session = await runWithCorrelation(newCorrelationId(), () => open(who));
      await fleet.settled(2);
      await fleet.app.get(SessionService).logOff(who, session.id);
      return (await count()) || undefined;
    });
    expect(measured).toBeLessThanOrEqual(logons);
    const [sum = ' 0'] = await scrape('goldleaf_refill_start_seconds_sum');
    expect(Number(sum)).toBeGreaterThan(0);
    expect(Number(sum) / measured).toBeLessThan(5);
  });
});

describe('parents', () => {
  let fleet: FleetFixture;
  let host: FleetHost;

  beforeEach(async () => {
    fleet = await FleetFixture.create();
    host = await fleet.addHost('host-1');
  });
  afterEach(() => fleet?.destroy());

  /** Distinct images and shapes that were prepared, in their order. */
  const prepared = () => [
    ...new Set(host.machines.prepared.map((each) => `${each.imageDigest[0]} ${each.vcpus} ${each.memoryMiB}`)),
  ];
  const isPrepared = (...wanted: string[]) =>
    until(`prepared: ${wanted.join(', ')}`, async () => JSON.stringify(prepared()) === JSON.stringify(wanted));

  it('are made once for each published version and shape of active pools, also while nobody needs them', async () => {
    await fleet.publish('a');
    await fleet.addPool({ spares: 0 });
    await fleet.addPool({ name: 'same-shape', spares: 0 });
    await isPrepared('a 1 512');
    await fleet.addPool({ name: 'bigger', spares: 0, memoryMiB: 1024 });
    await isPrepared('a 1 512', 'a 1 1024');
    await fleet.app.get(PoolService).update('bigger', { mode: 'maintenance' }, 'ivan');
    // A round that read the pools before that may not meet the new version: one that tells of a later pool came after it.
    await fleet.addPool({ name: 'later', spares: 0 });
    await until('a later round', async () =>
      (await host.metrics.registry.metrics()).includes('goldleaf_pool_spares_wanted{pool="later"}'),
    );
    await fleet.publish('b');
    await isPrepared('a 1 512', 'a 1 1024', 'b 1 512');
    expect(host.machines.machines.size).toBe(0);
  });

  it('are tried again after a failure; desktops are made meanwhile', async () => {
    host.machines.failNext('failed', 'prepare');
    host.machines.hangNext('prepare');
    const hangs = jest.spyOn(host.machines, 'takeHang');
    await fleet.publish();
    await fleet.addPool();
    // The first try fails, the second hangs: neither keeps the loop or the making of desktops from going on.
    await fleet.settled(2);
    const text = async () => host.metrics.registry.metrics();
    await until('a failure', async () =>
      (await text()).includes('goldleaf_parent_prepare_seconds_count{outcome="failed"} 1'),
    );
    await until('the second try hangs', async () => hangs.mock.results.some(({ value }) => value === true));
    await fleet.app.get(PoolService).update('call-center', { spares: 3 }, 'ivan');
    await fleet.settled(3);
    await until('the round of the reconcilers goes on', async () =>
      (await text()).includes('goldleaf_pool_spares_wanted{pool="call-center"} 3'),
    );
    expect(prepared()).toEqual([]);
  });

  it('are prepared after all when the failures end', async () => {
    for (let attempt = 0; attempt < 3; attempt += 1) host.machines.failNext('failed', 'prepare');
    await fleet.publish();
    await fleet.addPool();
    await isPrepared('a 1 512');
    const text = await host.metrics.registry.metrics();
    expect(text).toContain('goldleaf_parent_prepare_seconds_count{outcome="failed"} 3');
    await until('told', async () =>
      (await host.metrics.registry.metrics()).includes('goldleaf_parent_prepare_seconds_count{outcome="done"} 1'),
    );
  });
});
