import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { AuditLog } from '#libs/audit';
import { readRows } from '#libs/database';
import { DesktopLifecycle, DesktopQueries, PoolController, PoolService } from '#libs/desktops';
import { FleetStore } from '#libs/fleet';
import type { TestDatabase } from '#libs/testing';
import { SessionWorld } from '../test/session-world.js';
import { ConnectionService } from './connection-service.js';
import { SessionAllocator } from './session-allocator.js';
import { SessionExpiry } from './session-expiry.js';
import { SessionReplacement } from './session-replacement.js';
import { SessionService } from './session-service.js';

const alice = { username: 'alice', roles: ['call-center'] };
const bob = { username: 'bob', roles: ['call-center'] };
const carol = { username: 'carol', roles: ['back-office'] };

describe('sessions', () => {
  let world: SessionWorld;
  let database: TestDatabase;
  let app: TestingModule;
  let sessions: SessionService;
  let desktops: DesktopQueries;

  beforeAll(async () => {
    world = await SessionWorld.start();
    ({ app, database } = world);
    sessions = app.get(SessionService);
    desktops = app.get(DesktopQueries);
    const pool = { name: 'call-center', displayName: 'Call centre', description: '', image: 'debian', vcpus: 1 };
    const limits = { spares: 2, max: 100, memoryMiB: 512, disconnectTimeoutMinutes: 5, roles: ['call-center'] };
    await app.get(PoolService).create({ ...pool, ...limits }, 'test');
  });

  afterAll(async () => {
    await world?.destroy();
  });

  beforeEach(async () => {
    await database.dataSource.query('TRUNCATE connections, desktops, session_requests, sessions, state_events CASCADE');
  });

  const poolId = async () => (await app.get(FleetStore).pools())[0]?.id ?? '';

  /** Spares without machines behind them: as if `count` of them had just become ready. */
  async function spares(count: number): Promise<void> {
    const version = (await readRows<{ id: string }>(database.dataSource, 'SELECT id FROM image_versions'))[0];
    for (let index = 0; index < count; index += 1) {
      const id = randomUUID();
      await database.dataSource.query(
        `INSERT INTO desktops (id, pool_id, image_version_id, host, state) VALUES ($1, $2, $3, 'host-1', 'provisioning')`,
        [id, await poolId(), version?.id],
      );
      const display = { host: '127.0.0.1', port: 5900 + index, password: `pw-${index}` };
      await app.get(DesktopLifecycle).becomeAvailable({ id, poolId: await poolId(), host: 'host-1' }, display);
    }
  }

  const desktopOf = async (sessionId: string) =>
    (await desktops.list()).find((desktop) => desktop.sessionId === sessionId && desktop.state === 'assigned');

  it('gives a spare at once and says how long each phase took', async () => {
    await spares(1);
    const session = await sessions.open(alice, { pool: 'call-center' });
    expect(session.state).toBe('ready');
    expect(session.desktop).not.toBeNull();
    expect(session.phases.map((phase) => phase.name)).toEqual(['authorize', 'allocate', 'prepare', 'connect']);
    expect(session.phases[3]?.durationMs).toBeNull();
    const { entries } = await app.get(AuditLog).list({ action: 'assignment', limit: 1 });
    expect(entries[0]).toMatchObject({ actor: 'alice', subject: `session:${session.id}` });
  });

  it('knows no pool to which the roles give no right', async () => {
    await expect(sessions.open(carol, { pool: 'call-center' })).rejects.toMatchObject({ code: 'not-found' });
    await expect(sessions.open(alice, { pool: 'nowhere' })).rejects.toMatchObject({ code: 'not-found' });
  });

  it('gives one session for twenty clicks at once, and each desktop one owner', async () => {
    await spares(6);
    const clicks = Array.from({ length: 20 }, (_, index) =>
      sessions.open(index % 2 === 0 ? alice : bob, { pool: 'call-center' }),
    );
    const opened = await Promise.all(clicks);
    expect(new Set(opened.map((session) => session.id)).size).toBe(2);
    expect((await desktops.list()).filter((desktop) => desktop.state === 'assigned')).toHaveLength(2);
  });

  it('answers a repeated Idempotency-Key with the same session, also after its end', async () => {
    await spares(2);
    const request = { pool: 'call-center', idempotencyKey: 'k1' };
    const first = await sessions.open(alice, request);
    await sessions.logOff(alice, first.id);
    expect((await sessions.open(alice, request)).id).toBe(first.id);
    const other = await sessions.open(alice, { ...request, idempotencyKey: 'k2' });
    expect(other.id).not.toBe(first.id);
  });

  it('queues people when no spare is left and serves them in order', async () => {
    const first = await sessions.open(alice, { pool: 'call-center' });
    const second = await sessions.open(bob, { pool: 'call-center' });
    expect([first.state, second.state]).toEqual(['pending', 'pending']);
    await spares(1);
    await app.get(SessionAllocator).assignWaiting(await poolId());
    expect((await sessions.open(alice, { pool: 'call-center' })).state).toBe('ready');
    expect((await sessions.open(bob, { pool: 'call-center' })).state).toBe('pending');
  });

  it('tells people their place in the queue, and lets those who lost their desktop pass', async () => {
    await spares(1);
    const first = await sessions.open(alice, { pool: 'call-center' });
    expect(first.queue).toBeNull();
    const second = await sessions.open(bob, { pool: 'call-center' });
    const third = await sessions.open({ ...bob, username: 'dave' }, { pool: 'call-center' });
    expect([second.queue?.position, third.queue?.position]).toEqual([1, 2]);
    await app.get(SessionReplacement).loseDesktop(first.desktop?.id ?? '', 'machine-lost');
    const place = async (owner: typeof alice) => (await sessions.open(owner, { pool: 'call-center' })).queue?.position;
    expect([await place(alice), await place(bob)]).toEqual([1, 2]);
    await spares(1);
    await app.get(SessionAllocator).assignWaiting(await poolId());
    expect([await place(alice), await place(bob)]).toEqual([undefined, 1]);
  });

  it('estimates the wait from what was measured', async () => {
    await spares(2);
    await database.dataSource.query(`UPDATE desktops SET created_at = created_at - interval '20 seconds'`);
    for (const owner of [alice, { ...bob, username: 'dave' }]) await sessions.open(owner, { pool: 'call-center' });
    const waiting = await sessions.open(bob, { pool: 'call-center' });
    expect(waiting.queue).toEqual({ position: 1, estimatedSeconds: expect.any(Number), paused: null });
    expect(waiting.queue?.estimatedSeconds).toBeGreaterThan(15);
    expect(waiting.queue?.estimatedSeconds).toBeLessThan(30);
  });

  it('restart clean gives another desktop and never the old one again', async () => {
    await spares(2);
    const session = await sessions.open(alice, { pool: 'call-center' });
    const again = await sessions.recycle(alice, session.id);
    expect(again.id).toBe(session.id);
    expect(again.state).toBe('ready');
    expect(again.preparingReason).toBe('recycle');
    expect(again.desktop?.id).not.toBe(session.desktop?.id);
    const old = await desktops.view(session.desktop?.id ?? '');
    expect(old?.state).toBe('recycling');
  });

  it('the database itself refuses to give a used desktop to anyone', async () => {
    await spares(2);
    const session = await sessions.open(alice, { pool: 'call-center' });
    const other = await sessions.open(bob, { pool: 'call-center' });
    const used = session.desktop?.id;
    const query = (sql: string, ...parameters: unknown[]) => database.dataSource.query(sql, parameters);
    await expect(query(`UPDATE desktops SET state = 'available' WHERE id = $1`, used)).rejects.toThrow(/check/);
    await expect(
      query(`UPDATE desktops SET session_id = NULL, state = 'available' WHERE id = $1`, used),
    ).rejects.toThrow(/had an owner/);
    await expect(query('UPDATE desktops SET session_id = $2 WHERE id = $1', used, other.id)).rejects.toThrow(/owner/);
  });

  it('a lost machine puts the session back in the queue, and back to ready with the next spare', async () => {
    await spares(1);
    const session = await sessions.open(alice, { pool: 'call-center' });
    const replacement = app.get(SessionReplacement);
    await replacement.loseDesktop(session.desktop?.id ?? '', 'guest-reboot');
    await replacement.loseDesktop(session.desktop?.id ?? '', 'guest-reboot');
    const preparing = await sessions.open(alice, { pool: 'call-center' });
    expect(preparing).toMatchObject({ id: session.id, state: 'preparing', preparingReason: 'guest-reboot' });
    await spares(1);
    await app.get(SessionAllocator).assignWaiting(await poolId());
    expect((await sessions.open(alice, { pool: 'call-center' })).state).toBe('ready');
  });

  it('hides the sessions of others', async () => {
    await spares(1);
    const { id } = await sessions.open(alice, { pool: 'call-center' });
    await expect(sessions.recycle(bob, id)).rejects.toMatchObject({ code: 'not-found' });
    await expect(sessions.logOff(bob, id)).rejects.toMatchObject({ code: 'not-found' });
    await expect(sessions.ticketClaims(bob, id)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('log off ends the session and recycles its desktop; doing it twice is no error', async () => {
    await spares(1);
    const { id, desktop } = await sessions.open(alice, { pool: 'call-center' });
    expect((await sessions.logOff(alice, id)).state).toBe('ended');
    expect((await sessions.logOff(alice, id)).state).toBe('ended');
    expect((await desktops.view(desktop?.id ?? ''))?.state).toBe('recycling');
    await expect(sessions.ticketClaims(alice, id)).rejects.toMatchObject({ code: 'conflict' });
  });

  describe('connections', () => {
    it('resolves the target on the server, and tells who looks', async () => {
      await spares(1);
      const session = await sessions.open(alice, { pool: 'call-center' });
      const connections = app.get(ConnectionService);
      const claims = await sessions.ticketClaims(alice, session.id);
      const { connectionId, target } = await connections.open(claims);
      expect(target).toEqual({ protocol: 'vnc', host: '127.0.0.1', port: 5900, password: 'pw-0' });
      await connections.drawn(connectionId);
      const active = await sessions.open(alice, { pool: 'call-center' });
      expect(active.state).toBe('active');
      expect(active.phases[3]?.durationMs).not.toBeNull();
      expect(await connections.heartbeat([connectionId])).toEqual([]);
      await connections.close(connectionId, 'test');
      expect((await sessions.open(alice, { pool: 'call-center' })).state).toBe('disconnected');
    });

    it('refuses a ticket for a desktop that was recycled, and tells the gateway to close its tunnel', async () => {
      await spares(2);
      const session = await sessions.open(alice, { pool: 'call-center' });
      const connections = app.get(ConnectionService);
      const claims = await sessions.ticketClaims(alice, session.id);
      const { connectionId } = await connections.open(claims);
      await sessions.recycle(alice, session.id);
      expect(await connections.heartbeat([connectionId])).toEqual([connectionId]);
      await expect(connections.open(claims)).rejects.toMatchObject({ code: 'ticket-refused' });
    });

    it('after a sign-out refuses the ticket and has the tunnel closed, even when the bus lost the message', async () => {
      await spares(1);
      const session = await sessions.open(alice, { pool: 'call-center' });
      const connections = app.get(ConnectionService);
      const tokenHash = 'ab'.repeat(32);
      await database.dataSource.query(
        `INSERT INTO api_sessions (token_hash, username, username_key, display_name, roles, source_network, expires_at)
         VALUES ($1, 'alice', 'alice', 'Alice', '{}', 'x', now() + interval '1 hour')`,
        [tokenHash],
      );
      const claims = { ...(await sessions.ticketClaims(alice, session.id)), tokenHash };
      const { connectionId } = await connections.open(claims);
      expect(await connections.heartbeat([connectionId])).toEqual([]);
      await database.dataSource.query('UPDATE api_sessions SET revoked_at = now()');
      expect(await connections.heartbeat([connectionId])).toEqual([connectionId]);
      await expect(connections.open(claims)).rejects.toMatchObject({ code: 'ticket-refused' });
    });

    it('never stores the display password in the clear', async () => {
      await spares(1);
      const dump = JSON.stringify(await database.dataSource.query('SELECT * FROM desktops'));
      expect(dump).not.toContain('pw-0');
    });

    it('closes the connections of a gateway that is gone, and ends the session when nobody returns', async () => {
      await spares(1);
      const session = await sessions.open(alice, { pool: 'call-center' });
      const connections = app.get(ConnectionService);
      await connections.open(await sessions.ticketClaims(alice, session.id));
      expect(await connections.closeSilent(60)).toBe(0);
      await database.dataSource.query(`UPDATE connections SET last_seen_at = now() - interval '1 minute'`);
      expect(await connections.closeSilent(30)).toBe(1);
      const expiry = app.get(SessionExpiry);
      expect(await expiry.endAbandoned()).toBe(0);
      await database.dataSource.query(`UPDATE sessions SET state_changed_at = now() - interval '6 minutes'`);
      expect(await expiry.endAbandoned()).toBe(1);
      expect(await desktopOf(session.id)).toBeUndefined();
    });
  });

  describe('the pool controller', () => {
    it('orders the missing spares once, however many ask at the same time', async () => {
      const controller = app.get(PoolController);
      const id = await poolId();
      await Promise.all(Array.from({ length: 8 }, () => controller.reconcile(id)));
      expect((await desktops.list()).map((desktop) => desktop.state)).toEqual(['provisioning', 'provisioning']);
    });

    it('waits longer after each failure instead of trying for ever', async () => {
      const controller = app.get(PoolController);
      await controller.reconcile(await poolId());
      for (const desktop of await app.get(FleetStore).desktopsOfHost('host-1')) {
        await app.get(DesktopLifecycle).failProvisioning(desktop, 'no-space');
        await app.get(DesktopLifecycle).becomeDeleted(desktop);
      }
      await controller.reconcile(await poolId());
      expect(await desktops.list()).toEqual([]);
      await database.dataSource.query(`UPDATE desktops SET state_changed_at = now() - interval '5 seconds'`);
      await controller.reconcile(await poolId());
      expect(await desktops.list()).toHaveLength(2);
    });
  });
});
