import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Secret } from '#libs/config';
import { poolProfileSchema } from '#libs/contracts';
import { readRows, transact } from '#libs/database';
import { FakeHost } from '#libs/hypervisor';
import { ProfileKeys, ProfileLeases, ProfileLimits, ProfileVolumes, parseMasterKey } from '#libs/profiles';
import { SessionService } from '#libs/sessions';
import { Metrics, silentLogger } from '#libs/telemetry';
import { until } from '#libs/testing';
import { VolumeStore } from '#libs/volumes';
import { createBrokerApp } from '#services/broker';
import { type MasterKeys, ProfileHousekeeping, profileDiskId } from '#services/provisioner';
import { configFor, FakeDirectory } from '../broker/broker-fixture.js';
import { FleetFixture } from '../provisioner/fleet-fixture.js';
import { CliFixture } from './cli-fixture.js';

const MIB = 1024 * 1024;
const SIZE_MIB = 64;
/** Beyond what an empty file system has written at its start. */
const PLACE = 40 * MIB;
const alice = { username: 'alice', roles: ['call-center'] };

/** A whole site: database, store, broker, a provisioner over machines in memory, and IT at its host's command line. */
export class Site {
  private constructor(
    readonly fleet: FleetFixture,
    readonly cli: CliFixture,
    private readonly broker: NestExpressApplication,
    private masterKey: Secret,
  ) {}

  static async open(name: string, masterKey: Secret): Promise<Site> {
    const fleet = await FleetFixture.create(masterKey);
    await fleet.addHost(name, new FakeHost({ forks: true }));
    await fleet.publish();
    await fleet.addPool({ profile: poolProfileSchema.parse({ context: 'work' }) });
    const broker = await createBrokerApp({
      config: configFor(fleet.database.url, fleet.redis.url),
      ...{ logger: silentLogger(), directory: new FakeDirectory(), metrics: new Metrics() },
    });
    await broker.listen(0, '127.0.0.1');
    const site = new Site(fleet, await CliFixture.make(), broker, masterKey);
    try {
      await site.start();
      return site;
    } catch (error) {
      await site.destroy();
      throw error;
    }
  }

  private async start(): Promise<void> {
    const { fleet, cli, broker } = this;
    await transact(fleet.database.dataSource, (unit) =>
      this.get(ProfileLimits).set(unit, { role: 'call-center', sizeMib: SIZE_MIB }),
    );
    const { port } = broker.getHttpServer().address() as AddressInfo;
    await cli.signIn(`http://127.0.0.1:${port}`);
    await fleet.settled(2);
  }

  /** Ends the provisioner, and starts one with other master keys in its place; machines go on. */
  async restart(profileMasterKey: Secret, ...formerProfileMasterKeys: Secret[]): Promise<void> {
    const [host] = this.fleet.hosts;
    if (!host) throw new Error('the site has no provisioner');
    await this.fleet.removeHost(host);
    this.masterKey = profileMasterKey;
    const masterKeys: MasterKeys = { profileMasterKey, formerProfileMasterKeys };
    await this.fleet.addHost(host.name, host.machines, { masterKeys });
  }

  get storeUrl(): string {
    return pathToFileURL(join(this.fleet.stateDir, 'store')).href;
  }

  get leases(): ProfileLeases {
    return this.fleet.app.get(ProfileLeases, { strict: false });
  }

  get housekeeping(): ProfileHousekeeping {
    return this.fleet.app.get(ProfileHousekeeping, { strict: false });
  }

  /** What the command says with `--json`, at this site's host. */
  goldleaf<T>(...args: string[]) {
    return this.cli.json<T>(args, { env: { GOLDLEAF_STATE_DIR: this.fleet.stateDir } });
  }

  sql<Row>(text: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return readRows<Row>(this.fleet.database.dataSource, text, parameters);
  }

  volume() {
    return this.get(ProfileVolumes).find({ username: 'alice', context: 'work' });
  }

  versions = async () => this.leases.versions((await this.volume())?.id ?? '');

  /** alice on a desktop, with her profile. */
  async logOn() {
    const { id } = await this.get(SessionService).open(alice, { pool: 'call-center' });
    const session = await this.fleet.session(id, 'ready', ({ state }) => state === 'ready');
    const volumeId = (await this.volume())?.id ?? '';
    const desktopId = session.desktop?.id ?? '';
    const machines = this.fleet.hosts[0]?.machines as FakeHost;
    return {
      profile: session.profile,
      write: (text: string) => machines.writeToVolume(desktopId, profileDiskId(volumeId), PLACE, Buffer.from(text)),
      read: async (length: number) =>
        (await machines.readVolume(desktopId, profileDiskId(volumeId), PLACE, length)).toString(),
      logOff: async () => {
        await this.get(SessionService).logOff(alice, id);
        // A version counts as in use until the desktop that was given it is deleted, which is after its lease is free.
        await until('nothing of the profile is in use', async () => {
          const isFree = (await this.leases.holder(volumeId)) === null;
          return isFree && (await this.leases.numbersInUse(volumeId)).length === 0;
        });
      },
    };
  }

  /** alice writes this on a desktop of her own and logs off. */
  async work(text: string): Promise<void> {
    const desktop = await this.logOn();
    await desktop.write(text);
    await desktop.logOff();
  }

  /** Makes a file of the newest version. */
  async materialise(path: string): Promise<void> {
    const volume = await this.volume();
    const newest = volume && (await this.leases.newest(volume.id));
    if (!volume || !newest) throw new Error('there is nothing of alice');
    const key = new ProfileKeys(parseMasterKey(this.masterKey.reveal())).unwrap(volume.id, volume.wrappedKey);
    await this.fleet.app.get(VolumeStore, { strict: false }).materialise(newest.versionId, path, { key });
  }

  async destroy(): Promise<void> {
    await this.broker.close();
    await this.fleet.destroy();
    await this.cli.destroy();
  }

  private get<T>(type: new (...args: never[]) => T): T {
    return this.fleet.app.get<T>(type as never, { strict: false });
  }
}
