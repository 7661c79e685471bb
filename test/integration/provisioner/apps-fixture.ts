import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadOrCreateSigningKey, type SigningKey, signLayer } from '#libs/app-layers';
import { AppCatalogue, AppRegistration, LayerVerifier } from '#libs/apps';
import { AuditLog } from '#libs/audit';
import type { AppLayerManifest, AssignApp, SessionApp, SignedAppLayer } from '#libs/contracts';
import { readRows } from '#libs/database';
import { FakeHost, type FakeMachine, guestPaths } from '#libs/hypervisor';
import { waitFor } from '#libs/kernel';
import { SessionApps, SessionService } from '#libs/sessions';
import { until } from '#libs/testing';
import { type ObjectStore, VolumeStore } from '#libs/volumes';
import { type AppOptions, defaultAppOptions, OBJECT_STORE } from '#services/provisioner';
import { FleetFixture, type FleetHost } from './fleet-fixture.js';

const execFileAsync = promisify(execFile);

/** Small, so that a layer has many. */
const CHUNK_BYTES = 64 * 1024;
const assignment: AssignApp = { kind: 'assigned', version: null, ring: 'broad', mode: 'at-logon', now: false };

export interface TestLayer {
  readonly name: string;
  /** Number of the version. */
  readonly number: number;
  /** Of the version: what its volume in a machine is named. */
  readonly versionId: string;
  readonly content: Buffer;
  readonly manifest: AppLayerManifest;
}

export const person = (username: string, ...roles: string[]) => ({ username, roles: ['call-center', ...roles] });

/**
 * A fleet whose guests read what they merge, all of it, over NBD; store, PostgreSQL and Redis are real.
 */
export class AppsFixture {
  /** What guests have read when they merged it, by the socket and the name it is served as: whether it was the layer. */
  readonly merges: { readonly exportName: string; readonly sha256: string | undefined }[] = [];
  host!: FleetHost;
  /** How often guests were told what to have. */
  tellings = 0;
  /** Versions that are made for another operating system. */
  readonly unfit = new Set<string>();
  /** Whether guests read all of what they merge, or only its first bytes. */
  guestsReadAll = true;

  private constructor(
    readonly fleet: FleetFixture,
    readonly machines: FakeHost,
    private readonly key: SigningKey,
    private readonly options: AppOptions,
  ) {
    machines.guestProgram = async (machineId, command) => {
      if (command.path === guestPaths.apps && command.args[0] === 'sync') {
        this.tellings += 1;
        await this.readNew(machineId, command.input ?? '');
      }
      return machines.runKnownProgram(machineId, command);
    };
  }

  static async create(options: Partial<AppOptions> = {}): Promise<AppsFixture> {
    const fleet = await FleetFixture.create();
    const key = await loadOrCreateSigningKey(join(fleet.stateDir, 'signing-key.pem'));
    await mkdir(join(fleet.stateDir, 'app-keys'));
    await writeFile(join(fleet.stateDir, 'app-keys', 'own.pem'), key.publicKeyPem);
    const machines = new FakeHost({ forks: true });
    const apps = new AppsFixture(fleet, machines, key, { ...defaultAppOptions, ...options });
    await apps.startHost();
    await fleet.publish();
    await fleet.addPool();
    await fleet.settled(2);
    return apps;
  }

  /** The provisioner, over what is on the host. @param change of the options, for this one only */
  async startHost(change: Partial<AppOptions> = {}): Promise<void> {
    const appOptions = { ...this.options, ...change };
    this.host = await this.fleet.addHost('host-1', this.machines, { appOptions });
  }

  /** Puts a layer of this many bytes in the store and into the catalogue. */
  async publish(name: string, more: { bytes?: number; key?: SigningKey; content?: Buffer } = {}): Promise<TestLayer> {
    const content = more.content ?? randomBytes(more.bytes ?? 8 * CHUNK_BYTES);
    const { id } = await this.host.app
      .get(VolumeStore, { strict: false })
      .writeVersion(once(content), { volume: `app-${name}`, chunkBytes: CHUNK_BYTES });
    return this.register(name, id, content, more.key ?? this.key);
  }

  async register(name: string, volumeId: string, content: Buffer, key = this.key): Promise<TestLayer> {
    const manifest: AppLayerManifest = {
      ...{ formatVersion: 1, name, displayName: `The ${name}`, description: '', label: volumeId.slice(0, 8), volumeId },
      ...{ os: { id: 'debian', versionId: '12', architecture: 'x86_64' }, base: { image: 'debian', digest: 'd' } },
      ...{ layerBytes: content.length, installedBytes: content.length, packages: [] },
      entries: [{ id: `${name}.desktop`, name }],
      icon: { mediaType: 'image/png', base64: 'AAAA' },
    };
    return this.registerSigned(manifest, signLayer(manifest, key), content);
  }

  /** Past the check of registration, as somebody would who can write to the database. */
  private async registerSigned(manifest: AppLayerManifest, layer: SignedAppLayer, content: Buffer): Promise<TestLayer> {
    const { dataSource } = this.fleet.database;
    const verifier = new (class extends LayerVerifier {
      verify = async () => manifest;
    })();
    const { app } = this.host;
    const registration = new AppRegistration(dataSource, app.get(AppCatalogue), verifier, app.get(AuditLog));
    const view = await registration.register(manifest.name, { layer, ring: 'broad' }, 'ivan');
    const number = view.versions.find(({ volumeId }) => volumeId === manifest.volumeId)?.number ?? 0;
    const [row] = await this.rows<{ id: string }>(
      'SELECT app_versions.id FROM app_versions JOIN apps ON apps.id = app_id WHERE name = $1 AND number = $2',
      [manifest.name, number],
    );
    return { name: manifest.name, number, versionId: row?.id ?? '', content, manifest };
  }

  async assign(name: string, change: Partial<AssignApp> = {}, role = 'call-center'): Promise<void> {
    await this.host.app.get(SessionApps).assign(name, role, { ...assignment, ...change }, 'ivan');
  }

  async withdraw(name: string, now: boolean, role = 'call-center'): Promise<void> {
    await this.host.app.get(SessionApps).withdraw(name, role, now, 'ivan');
  }

  async logOn(who = person('alice'), app?: string): Promise<Logon> {
    const request = { pool: 'call-center', ...(app ? { app } : {}) };
    const { id } = await this.host.app.get(SessionService).open(who, request);
    const session = await this.fleet.session(id, 'ready', ({ state }) => state === 'ready');
    return new Logon(this, id, session.desktop?.id ?? '');
  }

  /** Writes other bytes over a chunk of a layer in the store, or takes it away. */
  async spoilChunk(layer: TestLayer, index: number, how: 'change' | 'remove' = 'change'): Promise<void> {
    const bytes = layer.content.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
    const digest = createHash('sha256').update(bytes).digest('hex');
    await this.spoilObject(`chunks/${digest.slice(0, 2)}/${digest}`, how);
  }

  async spoilObject(key: string, how: 'change' | 'remove'): Promise<void> {
    const path = await this.pathOfObject(key);
    await rename(path, `${path}.gone`);
    if (how === 'change') await writeFile(path, randomBytes(1000));
  }

  rows = <Row>(sql: string, parameters: unknown[] = []) =>
    readRows<Row>(this.fleet.database.dataSource, sql, parameters);

  /** The value of a series. */
  async metric(series: string): Promise<number> {
    const lines = (await this.host.metrics.registry.metrics()).split('\n');
    const line = lines.find((each) => each.startsWith(`${series} `));
    return line === undefined ? 0 : Number(line.slice(series.length + 1));
  }

  /** Holds all reads of the store from now on, until what is returned is called. */
  async holdStore(): Promise<() => void> {
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const store = this.host.app.get<ObjectStore>(OBJECT_STORE, { strict: false });
    const get = store.get.bind(store);
    store.get = async (key, options) => {
      if (key.startsWith('chunks/')) await waitFor(held, options?.signal);
      return get(key, options);
    };
    return () => {
      store.get = get;
      letGo();
    };
  }

  async hideStore(): Promise<void> {
    await rename(join(this.fleet.stateDir, 'store'), join(this.fleet.stateDir, 'store-away'));
  }

  async showStore(): Promise<void> {
    // Whoever tries to reach it makes folders there meanwhile.
    await rm(join(this.fleet.stateDir, 'store'), { recursive: true, force: true, maxRetries: 20 });
    await rename(join(this.fleet.stateDir, 'store-away'), join(this.fleet.stateDir, 'store'));
  }

  /** The provisioner ends, whatever it was doing, and its sockets with it; its machines and their guests do not. */
  async stopHost(): Promise<void> {
    await this.fleet.removeHost(this.host);
  }

  async destroy(): Promise<void> {
    await this.fleet.destroy();
  }

  private async pathOfObject(key: string): Promise<string> {
    const store = join(this.fleet.stateDir, 'store');
    const found = (await readdir(store, { recursive: true })).find((path) => path.endsWith(key));
    if (!found) throw new Error(`the store has no ${key}`);
    return join(store, found);
  }

  /** As a guest that reads all of what it merges; what it cannot read is damaged to it. */
  private async readNew(machineId: string, input: string): Promise<void> {
    const machine = this.machines.machines.get(machineId);
    const wanted = input.split('\n').flatMap((line) => {
      const [kind, name = '', volumeId = ''] = line.split('\t');
      return kind === 'attached' && machine?.apps.merged.get(name) !== volumeId ? [volumeId] : [];
    });
    await Promise.all(
      wanted.map(async (volumeId) => {
        const volume = machine?.volumes.get(volumeId);
        const sha256 = volume && (await readExport(volume.socketPath, volume.exportName, this.guestsReadAll));
        if (volume) this.merges.push({ exportName: volume.exportName, sha256 });
        const fault = this.unfit.has(volumeId) ? 'incompatible' : undefined;
        this.machines.breakLayer(volumeId, sha256 === undefined ? 'damaged' : fault);
      }),
    );
  }
}

/** A session and its desktop. */
export class Logon {
  constructor(
    private readonly apps: AppsFixture,
    readonly sessionId: string,
    readonly desktopId: string,
  ) {}

  get machine(): FakeMachine {
    const machine = this.apps.machines.machines.get(this.desktopId);
    if (!machine) throw new Error('the machine is gone');
    return machine;
  }

  /** As the person sees them, by name: `ready`, or `failed damaged`. */
  async states(): Promise<Record<string, string>> {
    const { apps } = await this.apps.fleet.view(this.sessionId);
    const tell = ({ state, reason }: SessionApp) => (reason ? `${state} ${reason}` : state);
    return Object.fromEntries(apps.map((app) => [app.name, tell(app)]));
  }

  async shows(wanted: Record<string, string>): Promise<void> {
    let states: Record<string, string> = {};
    await until('states of applications', async () => {
      states = await this.states();
      return JSON.stringify(states) === JSON.stringify(wanted);
    }).catch((cause: unknown) => {
      throw new Error(`wanted ${JSON.stringify(wanted)}, there is ${JSON.stringify(states)}`, { cause });
    });
  }

  /** Its machine has the volumes of these, and nothing else; its guest has merged them. */
  async has(...layers: TestLayer[]): Promise<void> {
    const wanted = layers.map(({ versionId }) => versionId).sort();
    const { machine } = this;
    await until(`volumes of ${layers.map(({ name }) => name).join(', ') || 'nothing'}`, () =>
      [[...machine.volumes.keys()], [...machine.apps.merged.values()]].every(
        (ids) => JSON.stringify(ids.sort()) === JSON.stringify(wanted),
      ),
    );
  }

  /** As if somebody chose the application in the menu of the desktop. */
  choose(name: string): void {
    this.apps.machines.sayFromGuest(this.desktopId, `start ${name} ${name}.desktop`);
  }

  /** What was started in the guest, in that order. */
  get started(): readonly string[] {
    return this.machine.apps.started;
  }

  /** Reads a volume of the machine as its guest does. @returns undefined when it cannot be read */
  read(layer: TestLayer): Promise<string | undefined> {
    const volume = this.machine.volumes.get(layer.versionId);
    return volume ? readExport(volume.socketPath, volume.exportName) : Promise.resolve(undefined);
  }
}

/** The SHA-256 of what is served. @param all or only its beginning @returns undefined when it cannot be read */
export async function readExport(socketPath: string, exportName: string, all = true): Promise<string | undefined> {
  try {
    const uri = `nbd+unix:///${exportName}?socket=${socketPath}`;
    const options = { encoding: 'buffer' as const, maxBuffer: 64 << 20, timeout: 60_000 };
    const read = all
      ? execFileAsync('nbdcopy', ['--connections=1', uri, '-'], options)
      : execFileAsync('qemu-io', ['-r', '-f', 'raw', '-c', 'read 0 4k', uri], options);
    const { stdout } = await read;
    return createHash('sha256').update(stdout).digest('hex');
  } catch {
    return undefined;
  }
}

export const sha256Of = ({ content }: TestLayer): string => createHash('sha256').update(content).digest('hex');

async function* once(content: Uint8Array): AsyncIterable<Uint8Array> {
  yield content;
}
