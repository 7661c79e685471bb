import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { MessageBus } from '#libs/bus';
import { type PoolProfile, poolProfileSchema, type SessionView } from '#libs/contracts';
import { readRows } from '#libs/database';
import { DesktopLifecycle, PoolService } from '#libs/desktops';
import { FleetStore } from '#libs/fleet';
import { JobDispatcher } from '#libs/jobs';
import { ProfileVolumes } from '#libs/profiles';
import { SessionProfiles } from '../src/profiles/session-profiles.js';
import { SessionAllocator } from '../src/session-allocator.js';
import { SessionQueries } from '../src/session-queries.js';
import { SessionService } from '../src/session-service.js';
import { SessionWorld } from './session-world.js';

/** What a pool says of profiles. */
export const work = (more: Partial<PoolProfile> = {}) => poolProfileSchema.parse({ context: 'work', ...more });

/** Pools with and without profiles on two hosts, and one person who opens sessions. */
export class ProfileWorld {
  readonly app: TestingModule;
  readonly profiles: SessionProfiles;
  readonly sessions: SessionService;
  /** Jobs and announced states, in their order. */
  readonly jobs: string[] = [];
  readonly told: string[] = [];
  people = 0;
  alice = { username: '', roles: ['staff'] };

  private constructor(private readonly world: SessionWorld) {
    this.app = world.app;
    this.profiles = this.app.get(SessionProfiles);
    this.sessions = this.app.get(SessionService);
    jest.spyOn(this.app.get(JobDispatcher), 'enqueue').mockImplementation(async (name, payload, options) => {
      if (!('desktopId' in payload) || name === 'desktop.destroy') return;
      this.jobs.push(`${name} ${payload.desktopId} ${options?.host}`);
    });
    jest.spyOn(this.app.get(MessageBus), 'publish').mockImplementation(async (message) => {
      if (message.type === 'session') this.told.push(`${message.sessionId} ${message.state}`);
    });
  }

  static async start(): Promise<ProfileWorld> {
    const started = new ProfileWorld(await SessionWorld.start());
    await started.pool('plain', null);
    await started.pool('first', work());
    await started.pool('second', work({ atLogOff: 'ask' }));
    await started.pool('looking', work({ conflict: 'read-only' }));
    await started.pool('erasing', work({ context: 'guest', atLogOff: 'erase' }));
    await started.rows(`INSERT INTO hosts (name, driver, accelerator, vcpus, memory_mib, available_memory_mib,
      available_disk_mib, last_seen_at) SELECT 'host-2', driver, accelerator, vcpus, memory_mib, available_memory_mib,
      available_disk_mib, now() FROM hosts WHERE name = 'host-1'`);
    return started;
  }

  destroy(): Promise<void> {
    return this.world.destroy();
  }

  /** Nothing of the test before is left, and alice is another person. */
  async reset(): Promise<void> {
    await this.rows(
      `UPDATE sessions SET state = 'failed', waiting_since = NULL WHERE state NOT IN ('ended', 'failed')`,
    );
    await this.rows(`UPDATE desktops SET state = 'recycling' WHERE state = 'assigned'`);
    await this.rows(`UPDATE desktops SET state = 'deleted' WHERE state <> 'deleted'`);
    await this.rows(`UPDATE hosts SET last_seen_at = now(), fenced_at = NULL`);
    await this.rows(`UPDATE pools SET profile = $1 WHERE name = 'first'`, [JSON.stringify(work())]);
    this.people += 1;
    this.alice = { username: `alice-${this.people}`, roles: ['staff'] };
    this.told.length = 0;
    this.jobs.length = 0;
  }

  rows<Row>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return readRows<Row>(this.world.database.dataSource, sql, parameters);
  }

  /** A spare of the pool, as if its machine had just become ready. */
  async spare(pool = 'first', host = 'host-1'): Promise<string> {
    const id = randomUUID();
    await this.rows(
      `INSERT INTO desktops (id, pool_id, image_version_id, host, state)
       SELECT $1, pools.id, image_versions.id, $3, 'provisioning' FROM pools, image_versions WHERE pools.name = $2`,
      [id, pool, host],
    );
    const display = { host: '127.0.0.1', port: 5900, password: 'pw' };
    const poolId = await this.poolId(pool);
    await this.app.get(DesktopLifecycle).becomeAvailable({ id, poolId, host }, display);
    return id;
  }

  async serve(pool = 'first'): Promise<void> {
    await this.app.get(SessionAllocator).assignWaiting(await this.poolId(pool));
  }

  open(pool = 'first'): Promise<SessionView> {
    return this.sessions.open(this.alice, { pool });
  }

  view({ id }: SessionView): Promise<SessionView> {
    return this.app.get(SessionQueries).view(this.alice.username, id);
  }

  /** A session with a desktop of its own. */
  async opened(pool = 'first', host = 'host-1'): Promise<{ session: SessionView; desktopId: string }> {
    const desktopId = await this.spare(pool, host);
    const session = await this.open(pool);
    if (session.desktop?.id !== desktopId) throw new Error('the session got another desktop');
    return { session, desktopId };
  }

  async volumeOf(context = 'work'): Promise<string> {
    const volumes = new ProfileVolumes(this.world.database.dataSource);
    return (await volumes.findOrMake({ username: this.alice.username, context }, () => Buffer.alloc(60))).id;
  }

  /** The desktop writes the volume from now on; null: nobody does. */
  async hold(volumeId: string, desktopId: string | null): Promise<void> {
    await this.rows(
      `UPDATE profile_leases SET fence = fence + 1, desktop_id = $2, acquired_at = now(),
              host = (SELECT host FROM desktops WHERE id = $2) WHERE volume_id = $1`,
      [volumeId, desktopId],
    );
  }

  async silence(host: string): Promise<void> {
    await this.rows(`UPDATE hosts SET last_seen_at = now() - interval '1 hour' WHERE name = $1`, [host]);
  }

  private async poolId(name: string): Promise<string> {
    const [found] = await this.app.get(FleetStore).poolsNamed([name]);
    return found?.id ?? '';
  }

  private async pool(name: string, profile: PoolProfile | null): Promise<void> {
    await this.app.get(PoolService).create(
      {
        ...{ name, displayName: name, description: '', image: 'debian', vcpus: 1, roles: ['staff'], profile },
        ...{ spares: 0, max: 1_000, memoryMiB: 512, disconnectTimeoutMinutes: 5 },
      },
      'test',
    );
  }
}
