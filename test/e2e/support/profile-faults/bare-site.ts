import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Test, type TestingModule } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { AuditModule } from '#libs/audit';
import { BusModule } from '#libs/bus';
import { Secret, storeBelow } from '#libs/config';
import { poolProfileSchema, type SessionView } from '#libs/contracts';
import { DatabaseModule, transact } from '#libs/database';
import { DesktopsModule, PoolService } from '#libs/desktops';
import { FleetStore } from '#libs/fleet';
import { ImageCatalogue } from '#libs/images';
import { JobsModule } from '#libs/jobs';
import { ProfileLeases, ProfileLimits } from '#libs/profiles';
import { SessionQueries, SessionService, SessionsModule } from '#libs/sessions';
import { Metrics, silentLogger, TelemetryModule } from '#libs/telemetry';
import { makeIdleImage, until } from '#libs/testing';
import { createDataSource } from '#migrations';
import { DesktopProfileSync, OBJECT_STORE, ProvisionerModule } from '#services/provisioner';
import { BareMachine } from './bare-machine.js';
import { BareQemuDriver, machinesDirOf } from './bare-qemu-driver.js';
import { SaveSteps } from './save-steps.js';

/** Where a site has what outlives its processes. */
export interface SitePlaces {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly stateDir: string;
  /** Base64 of 32 bytes. */
  readonly masterKey: string;
  readonly reconcileMs: number;
}

const alice = { username: 'alice', roles: ['call-center'] };
export const PROFILE_KEY = { username: 'alice', context: 'work' };
const HOST = 'host-1';
/** The least that there is. */
const PROFILE_MIB = 64;

/** A provisioner with all that belongs to it, over real machines without guests. */
export class BareSite {
  readonly steps = new SaveSteps();

  private constructor(
    readonly places: SitePlaces,
    readonly app: TestingModule,
    readonly driver: BareQemuDriver,
  ) {
    const part = <T>(token: unknown) => app.get(token as never, { strict: false }) as T;
    this.steps.watch({ driver, leases: part(ProfileLeases), objects: part(OBJECT_STORE) });
  }

  static async start(places: SitePlaces): Promise<BareSite> {
    const { stateDir, databaseUrl, redisUrl, masterKey, reconcileMs } = places;
    await mkdir(stateDir, { recursive: true });
    const driver = await BareQemuDriver.below(stateDir);
    const config = {
      ...{ hostName: HOST, stateDir, store: storeBelow(stateDir), appKeysDir: join(stateDir, 'app-keys') },
      profileMasterKey: new Secret(masterKey),
    };
    const app = await Test.createTestingModule({
      imports: [
        TelemetryModule.register({ logger: silentLogger(), metrics: new Metrics() }),
        DatabaseModule.register(createDataSource(databaseUrl)),
        BusModule.register({ url: redisUrl, logger: silentLogger() }),
        JobsModule.register({ url: redisUrl }),
        AuditModule,
        DesktopsModule.register({ secretKey: 'a secret key of the tests' }),
        SessionsModule,
        ProvisionerModule.register(config, driver, reconcileMs),
      ],
    }).compile();
    await app.init();
    return new BareSite(places, app, driver);
  }

  /** An image, a pool with profiles, and alice at one of its desktops. */
  async furnish(): Promise<SessionView> {
    const { stateDir } = this.places;
    const { manifest } = await makeIdleImage(join(stateDir, 'images', 'idle', 'a'));
    const content = { name: 'idle', displayName: 'Idle', location: 'idle/a', sizeBytes: 1 << 20 };
    await this.app.get(ImageCatalogue).publishContent({ ...content, digest: manifest.digest });
    const limits = this.app.get(ProfileLimits, { strict: false });
    await transact(this.app.get(DataSource), (unit) => limits.set(unit, { role: 'call-center', sizeMib: PROFILE_MIB }));
    await this.app.get(PoolService).create(
      {
        ...{ name: 'call-center', displayName: 'Call centre', description: '', image: 'idle', vcpus: 1 },
        ...{ spares: 0, max: 4, memoryMiB: 256, disconnectTimeoutMinutes: 5, roles: ['call-center'] },
        profile: poolProfileSchema.parse({ context: 'work', writeBackMinutes: 1_440 }),
      },
      'test',
    );
    const { id } = await this.app.get(SessionService).open(alice, { pool: 'call-center' });
    return this.atDesktop(id);
  }

  /** The session, when it has a desktop with its profile. @param notAnymore a desktop that it must have left */
  atDesktop(sessionId: string, notAnymore?: string): Promise<SessionView> {
    return until(
      'the session has its profile',
      async () => {
        const [session] = await this.app.get(FleetStore).sessionsNow([sessionId]);
        const view = await this.app.get(SessionQueries).view(session?.username ?? '', sessionId);
        const isThere = view.state === 'ready' && view.desktop !== null && view.desktop.id !== notAnymore;
        return isThere && view.profile?.state === 'ready' ? view : undefined;
      },
      30_000,
    );
  }

  logOff(sessionId: string): Promise<unknown> {
    return this.app.get(SessionService).logOff(alice, sessionId);
  }

  save(desktopId: string): Promise<void> {
    return this.app.get(DesktopProfileSync, { strict: false }).save({ desktopId, reason: 'write-back' });
  }

  machine(desktopId: string): BareMachine {
    return new BareMachine(this.places.stateDir, desktopId);
  }

  /** All that there are, whether their driver is still there or not. */
  async machines(): Promise<BareMachine[]> {
    const ids = await readdir(machinesDirOf(this.places.stateDir));
    return ids.map((id) => this.machine(id));
  }

  /** Of a disk, as its machine sees it. */
  async readDisk(desktopId: string, diskId: string): Promise<Buffer> {
    const view = await this.driver.viewVolume(desktopId, diskId);
    try {
      const reader = await view.open();
      try {
        return await reader.read(0, view.sizeBytes);
      } finally {
        await reader.close();
      }
    } finally {
      await this.driver.closeView(desktopId, diskId, view.id, 'dropped');
    }
  }

  /** Machines go on running. */
  stop(): Promise<void> {
    return this.app.close();
  }
}
