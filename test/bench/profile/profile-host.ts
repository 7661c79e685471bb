import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { type NbdViewOpener, QemuDriver } from '#libs/hypervisor';
import { systemClock } from '#libs/kernel';
import { profileVolumeName } from '#libs/profiles';
import { Metrics } from '#libs/telemetry';
import { ChunkCache, NbdClient, PROFILE_CHUNK_BYTES, VolumeStore } from '#libs/volumes';
import { MachineExports, profileDiskId, SharedReaders, VolumeMetrics } from '#services/provisioner';
import { type ForkHost, machineUser } from '../fork/fork-host.js';
import { CountedPuts } from './counted-puts.js';
import type { StoredProfile } from './stored-profile.js';

const MEMORY_MIB = 1024;
const READY_MS = 240_000;
const COMMAND_MS = 120_000;
const PROBED_BYTES = 4096;

export interface LogonTimes {
  readonly wholeMs: number;
  /** Of it: the version is open, served, and its ends are read. */
  readonly openMs: number;
}

/** A desktop, a store of encrypted profiles, and what a provisioner does between them. */
export class ProfileHost {
  private constructor(
    readonly driver: QemuDriver,
    readonly machineId: string,
    readonly puts: CountedPuts,
    readonly store: VolumeStore,
    private readonly cache: ChunkCache,
    private readonly readers: SharedReaders,
    private readonly exports: MachineExports,
  ) {}

  static async open(forks: ForkHost): Promise<ProfileHost> {
    const logger = pino({ level: 'warn' }, pino.destination(2));
    const stateDir = join(forks.dir, 'profile-host');
    await mkdir(stateDir, { mode: 0o711 });
    const puts = new CountedPuts(join(stateDir, 'store'));
    const cache = await ChunkCache.open({ folder: join(stateDir, 'cache'), maxBytes: 2 ** 31, logger });
    const store = new VolumeStore({ objects: puts, cache, logger });
    const readers = new SharedReaders(store, systemClock, logger);
    const metrics = new VolumeMetrics(new Metrics(), store, cache);
    const exports = new MachineExports(readers, metrics, { stateDir, machineUser }, logger);
    await exports.start();
    const driver = new QemuDriver({
      machinesDir: join(forks.dir, 'machines-profile'),
      parentsDir: join(forks.dir, 'parents-profile'),
      parentBootTimeoutMs: READY_MS,
      displayPorts: { first: 22_800, last: 22_899 },
      openNbdView,
      logger,
      ...(machineUser && { machineUser }),
    });
    await driver.start();
    await forks.prepare(driver, MEMORY_MIB);
    const { machine } = await forks.make(driver, MEMORY_MIB);
    await driver.waitReady(machine.id, READY_MS);
    return new ProfileHost(driver, machine.id, puts, store, cache, readers, exports);
  }

  /** Writes the first version of a new profile, with a key of its own. */
  async keep(source: string | AsyncIterable<Uint8Array>): Promise<StoredProfile> {
    const [id, key] = [randomUUID(), randomBytes(32)];
    const volume = profileVolumeName(id);
    const written = await this.store.writeVersion(source, { volume, chunkBytes: PROFILE_CHUNK_BYTES, key });
    return { diskId: profileDiskId(id), volume, key, versionId: written.id, sizeBytes: written.sizeBytes };
  }

  /** The host's part of a logon, from a version that nobody has open to a disk that the desktop has. */
  async attach({ diskId, versionId, key, sizeBytes }: StoredProfile): Promise<LogonTimes> {
    const { machineId, exports, driver } = this;
    const from = performance.now();
    const served = await exports.open(machineId, { id: diskId, versionId, key });
    const reader = exports.reader(machineId, diskId);
    if (!reader) throw new Error('the export has ended');
    await Promise.all([0, sizeBytes - PROBED_BYTES].map((at) => reader.read(at, PROBED_BYTES)));
    const openMs = performance.now() - from;
    await driver.attachWritableVolume(machineId, { ...served, sizeBytes });
    return { openMs, wholeMs: performance.now() - from };
  }

  async detach({ diskId }: StoredProfile): Promise<void> {
    await this.driver.detachVolume(this.machineId, diskId);
    await this.exports.close(this.machineId, diskId);
    await this.readers.closeUnused(0);
  }

  /** Runs shell in the desktop, as root. @throws when it fails */
  async inGuest(script: string): Promise<string> {
    const command = { path: '/bin/bash', args: ['-ec', script], timeoutMs: COMMAND_MS };
    const { exitCode, stdout, stderr } = await this.driver.runInGuest(this.machineId, command);
    if (exitCode !== 0) throw new Error(`${script}: ${stderr}`);
    return stdout;
  }

  async close(): Promise<void> {
    for (const { id } of await this.driver.list()) await this.driver.destroy(id);
    await this.driver.stop();
    await this.exports.stop();
    await this.cache.close();
  }
}

const openNbdView: NbdViewOpener = async ({ socketPath, exportName, bitmapName }) => {
  const client = await NbdClient.connect(socketPath, exportName, { metaContexts: [`qemu:dirty-bitmap:${bitmapName}`] });
  const changed = await client.changedExtents(bitmapName);
  return {
    sizeBytes: client.sizeBytes,
    changed,
    read: (offset, length, signal) => client.read(offset, length, signal),
    close: () => client.close(),
  };
};
