import { jest } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { AppRegistration, LayerVerifier } from '#libs/apps';
import { type AppLayerManifest, type AssignApp, appLayerManifestSchema, type SessionView } from '#libs/contracts';
import { readRows } from '#libs/database';
import { PoolService } from '#libs/desktops';
import { JobDispatcher } from '#libs/jobs';
import { ProfileService } from '#libs/profiles';
import type { TestDatabase } from '#libs/testing';
import { DesktopApps } from '../src/apps/desktop-apps.js';
import { SessionApps } from '../src/apps/session-apps.js';
import { SessionQueries } from '../src/session-queries.js';
import { SessionService } from '../src/session-service.js';
import { SessionWorld } from './session-world.js';

/** Believes what it is given. */
class GullibleVerifier extends LayerVerifier {
  async verify({ payload }: { payload: string }): Promise<AppLayerManifest> {
    return appLayerManifestSchema.parse(JSON.parse(payload));
  }
}

const byDefault: AssignApp = { kind: 'assigned', version: null, ring: 'broad', mode: 'at-logon', now: false };

export interface Person {
  readonly username: string;
  readonly roles: readonly string[];
}

export const person = (username: string, ...roles: string[]): Person => ({ username, roles: ['staff', ...roles] });

export const desktopOf = ({ desktop }: SessionView): string => desktop?.id ?? 'no desktop';

/** Applications of people and sessions, of pools `first` and `second`; nobody runs what is to be done on desktops. */
export class AppsWorld {
  /** Ids of the desktops for which `desktop.apps` was enqueued. */
  readonly jobs: string[] = [];
  /** Of each test its own, as records and assignments last. */
  role = '';
  names = 0;
  readonly app: TestingModule;
  readonly database: TestDatabase;
  readonly sessionApps: SessionApps;
  readonly desktopApps: DesktopApps;

  private constructor(private readonly world: SessionWorld) {
    ({ app: this.app, database: this.database } = world);
    this.sessionApps = this.app.get(SessionApps);
    this.desktopApps = this.app.get(DesktopApps);
    jest.spyOn(this.app.get(JobDispatcher), 'enqueue').mockImplementation(async (name, payload, options) => {
      const isTheirs = name === 'desktop.apps' && options?.host === 'host-1' && 'desktopId' in payload;
      if (isTheirs) this.jobs.push(payload.desktopId);
    });
  }

  static async start(): Promise<AppsWorld> {
    const verifier = { provide: LayerVerifier, useClass: GullibleVerifier };
    const made = new AppsWorld(await SessionWorld.start([AppRegistration, verifier]));
    for (const name of ['first', 'second']) {
      await made.app.get(PoolService).create(
        {
          ...{ name, displayName: name, description: '', image: 'debian', vcpus: 1, roles: ['staff'] },
          ...{ spares: 0, max: 1_000, memoryMiB: 512, disconnectTimeoutMinutes: 5 },
        },
        'test',
      );
    }
    return made;
  }

  /** Before each test: a role of its own, and nobody of the tests before who waits for the desktops of this one. */
  async begin(): Promise<void> {
    await this.rows(
      `UPDATE sessions SET state = 'failed', waiting_since = NULL WHERE state NOT IN ('ended', 'failed')`,
    );
    this.jobs.length = 0;
    this.names += 1;
    this.role = `role-${this.names}`;
  }

  destroy(): Promise<void> {
    return this.world.destroy();
  }

  rows<Row>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return readRows<Row>(this.database.dataSource, sql, parameters);
  }

  async spares(count: number, pool = 'first'): Promise<void> {
    await this.rows(
      `INSERT INTO desktops (pool_id, image_version_id, host, state, display_host, display_port, sealed_display_password)
       SELECT pools.id, image_versions.id, 'host-1', 'available', '127.0.0.1', 5900, 'sealed'
         FROM pools, image_versions, generate_series(1, $1) WHERE pools.name = $2`,
      [count, pool],
    );
  }

  async newVersion(name: string, volume: string, more: Partial<AppLayerManifest> = {}, ring = 'broad') {
    const payload = JSON.stringify({
      ...{ formatVersion: 1, name, displayName: `The ${name}`, description: '', label: volume },
      ...{ os: { id: 'debian', versionId: '12', architecture: 'x86_64' }, base: { image: 'debian', digest: 'd1' } },
      ...{ volumeId: Buffer.from(volume.padEnd(32, ' ')).toString('hex'), layerBytes: 10, installedBytes: 20 },
      ...{ entries: [{ id: 'x.desktop', name: 'X' }], icon: { mediaType: 'image/png', base64: 'AAAA' }, packages: [] },
      ...more,
    });
    const layer = { payload, signature: 'A'.repeat(86).concat('=='), keyId: '0'.repeat(16) };
    return this.app.get(AppRegistration).register(name, { layer, ring: ring as 'broad' }, 'ivan');
  }

  /** An application with one version, of this test's own. */
  async newApp(kind = 'app'): Promise<string> {
    const name = `${kind}-${this.names}`;
    await this.newVersion(name, 'v1');
    return name;
  }

  assign(name: string, more: Partial<AssignApp> = {}, to = this.role) {
    return this.sessionApps.assign(name, to, { ...byDefault, ...more }, 'ivan');
  }

  open(owner: Person, more: { pool?: string; app?: string } = {}): Promise<SessionView> {
    return this.app.get(SessionService).open(owner, { pool: 'first', ...more });
  }

  view({ id }: SessionView, username: string): Promise<SessionView> {
    return this.app.get(SessionQueries).view(username, id);
  }

  async record(username: string) {
    return (await this.app.get(ProfileService).list({ username, limit: 1 }))[0];
  }

  async idOf(name: string): Promise<string> {
    return (await this.rows<{ id: string }>('SELECT id FROM apps WHERE name = $1', [name]))[0]?.id ?? '';
  }

  /** As the provisioner would note it. */
  async ready(session: SessionView, name: string): Promise<void> {
    const desktopId = desktopOf(session);
    const wanted = await this.desktopApps.wantedApps(desktopId);
    const found = wanted?.wanted.find((one) => one.name === name);
    if (!found) throw new Error(`${name} is not wanted`);
    const { appId, versionId, mode } = found;
    for (const state of ['attaching', 'ready'] as const) {
      const isMoved = await this.desktopApps.recordState(desktopId, appId, { versionId, mode, state });
      if (!isMoved) throw new Error(`${name} does not become ${state}`);
    }
  }
}
