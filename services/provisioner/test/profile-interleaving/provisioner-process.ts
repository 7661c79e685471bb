import { FakeDriver, type FakeHost, MachineError } from '#libs/hypervisor';
import type { JobSink } from '#libs/jobs';
import { LeaseError, ProfileRecords, type ProfileVolumes } from '#libs/profiles';
import type { SessionProfiles } from '#libs/sessions';
import { Metrics, silentLogger } from '#libs/telemetry';
import { VolumeError, VolumeStore } from '#libs/volumes';
import { SimProcess } from '../../../../test/simulation/engine/sim-process.js';
import type { MachineExports } from '../../src/exports/machine-exports.js';
import { SharedReaders } from '../../src/exports/shared-readers.js';
import { ProfileMetrics } from '../../src/metrics/profile-metrics.js';
import { AdoptProfiles } from '../../src/profiles/adopt-profiles.js';
import { DesktopProfileSync } from '../../src/profiles/desktop-profile-sync.js';
import { ProfileOpener } from '../../src/profiles/profile-opener.js';
import { defaultProfileOptions } from '../../src/profiles/profile-options.js';
import { ProfileRecorder } from '../../src/profiles/profile-recorder.js';
import { ProfileUsage } from '../../src/profiles/profile-usage.js';
import { ProfileVault } from '../../src/profiles/profile-vault.js';
import { ProfileWriter } from '../../src/profiles/profile-writer.js';
import type { UnfinishedRestores } from '../../src/profiles/unfinished-restores.js';
import type { ProvisionerOptions } from '../../src/provisioner-options.js';
import { Gate, RunOver } from './gate.js';
import { DatabaseLost, type GatedPorts, gatedPorts } from './gated-ports.js';
import { MemoryExports } from './memory-exports.js';
import type { MemoryRows } from './memory-rows.js';
import type { Surroundings } from './surroundings.js';
import { profileKeys } from './volume.js';

const metrics = new ProfileMetrics(new Metrics());
const logger = silentLogger();

/** One life of the provisioner of a host: the real objects, whose every call takes its turn. */
export class ProvisionerProcess {
  readonly process: SimProcess;
  /** Whether it has taken over what the one before left, and takes jobs. */
  isReady = false;
  /** Desktops that are being saved or given up. */
  private readonly busy = new Set<string>();
  private readonly gate: Gate;
  private readonly inner: FakeDriver;
  private readonly ports: GatedPorts;
  private readonly sync: DesktopProfileSync;
  private readonly adoption: AdoptProfiles;

  constructor(
    name: string,
    hostName: string,
    host: FakeHost,
    private readonly around: Surroundings,
  ) {
    const { clock, breakage } = around;
    this.process = new SimProcess(name);
    this.gate = new Gate(around.scheduler, this.process, around.random);
    this.inner = new FakeDriver(host);
    this.ports = gatedPorts(this.gate, this.inner, around);
    const { leases, driver, objects } = this.ports;
    const rows = this.ports.rows as Pick<SessionProfiles, keyof MemoryRows & keyof SessionProfiles> as SessionProfiles;
    const volumes = this.ports.volumes as ProfileVolumes;
    const options = { hostName, scratchDir: '/nowhere' } as ProvisionerOptions;
    const profileOptions = defaultProfileOptions;
    const store = new VolumeStore({ objects, logger, clock });
    const vault = new ProfileVault(volumes, profileKeys);
    const recorder = new ProfileRecorder(new ProfileRecords(objects), volumes, vault, logger);
    const whole = new ProfileWriter(leases, store, metrics, recorder, driver, options);
    const writer = breakage.writer?.(whole, leases) ?? whole;
    const exports = new MemoryExports(new SharedReaders(store, clock, logger)) as Pick<
      MachineExports,
      keyof MemoryExports
    > as MachineExports;
    const opener = new ProfileOpener(leases, writer, exports, metrics, store, driver, profileOptions, logger);
    const usage = new ProfileUsage(rows, driver, options);
    const restores: Pick<UnfinishedRestores, 'finish'> = { finish: async () => undefined };
    const jobs: JobSink = { enqueue: async (_, payload, to) => this.queue(payload, to?.host) };
    this.sync = new DesktopProfileSync(
      ...([rows, leases, vault, opener, writer, usage, restores as UnfinishedRestores, metrics] as const),
      ...([jobs, driver, options, profileOptions, logger] as const),
    );
    this.adoption = new AdoptProfiles(rows, leases, vault, opener, driver, logger);
  }

  /** What `Provisioner` does before it takes jobs. */
  start(): void {
    this.work('start', async () => {
      await this.inner.start();
      await this.adoption.run();
      this.isReady = true;
    });
  }

  /** `kill -9`. */
  crash(): void {
    this.isReady = false;
    this.inner.crash();
    this.gate.kill();
  }

  /** The run is over. */
  end(): void {
    this.gate.end();
  }

  open(desktopId: string): void {
    if (this.isReady) this.work(`open ${desktopId}`, () => this.sync.open(desktopId));
  }

  /** What the reconcilers do about what their last round left undone. */
  round(desktops: readonly string[]): void {
    const { rows, random } = this.around;
    if (!this.isReady) return;
    this.work('adopt', () => this.adoption.serveMissing());
    for (const id of desktops) {
      const state = rows.rows.get(id)?.state;
      const isGivenUp = rows.stateOf(id) === 'recycling';
      if (rows.stateOf(id) === 'deleted' || this.busy.has(id)) continue;
      if (isGivenUp) this.alone(id, () => this.dispose(id));
      else if (state === 'ready' && random.chance(0.4)) {
        this.alone(id, () => this.sync.save({ desktopId: id, reason: 'write-back' }));
      } else if (state !== 'ready' && !this.sync.isBusy(id)) this.open(id);
    }
  }

  /** As `DestroyDesktopHandler`. */
  private async dispose(desktopId: string): Promise<void> {
    await this.sync.close(desktopId);
    await this.ports.driver.destroy(desktopId);
    await this.ports.rows.becomeDeleted(desktopId);
  }

  private queue(payload: object, host = ''): void {
    if ('desktopId' in payload) this.around.bring(String(payload.desktopId), host);
  }

  private alone(desktopId: string, task: () => Promise<void>): void {
    this.busy.add(desktopId);
    this.work(desktopId, () => task().finally(() => this.busy.delete(desktopId)));
  }

  private work(what: string, task: () => Promise<void>): void {
    task().catch((error: unknown) => {
      if (error instanceof RunOver) return;
      if (isOrdinary(error)) this.around.scheduler.note(this.process.name, `${what} failed`, String(error));
      else this.around.scheduler.fail(error);
    });
  }
}

const ordinary = [MachineError, VolumeError, LeaseError, DatabaseLost];

/** What may go wrong where machines, stores and connections fail; the last is what a view says whose machine was killed. */
function isOrdinary(error: unknown): boolean {
  if (ordinary.some((kind) => error instanceof kind)) return true;
  return error instanceof Error && error.message === 'the view is closed';
}
