import { Inject, Injectable } from '@nestjs/common';
import { LayerVerifier, type VersionDocument } from '#libs/apps';
import type { AppLayerManifest } from '#libs/contracts';
import type { HypervisorDriver, MachineVolume } from '#libs/hypervisor';
import { VolumeError } from '#libs/volumes';
import { MachineExports } from '../exports/machine-exports.js';
import type { ExportedVersion } from '../exports/machine-server.js';
import { AppMetrics } from '../metrics/app-metrics.js';
import { DRIVER } from '../provisioner-options.js';
import { APP_OPTIONS, type AppOptions } from './app-options.js';
import { AppRefusal } from './app-refusal.js';
import { VolumeDamage } from './volume-damage.js';

/** Gives machines the volumes of applications, and takes them away. A volume has the id of its version. */
@Injectable()
export class AppAttacher {
  constructor(
    private readonly verifier: LayerVerifier,
    private readonly exports: MachineExports,
    private readonly damage: VolumeDamage,
    private readonly metrics: AppMetrics,
    @Inject(DRIVER) private readonly driver: HypervisorDriver,
    @Inject(APP_OPTIONS) private readonly options: AppOptions,
  ) {}

  /** What was signed of a version. @throws AppRefusal, DomainError `layer-untrusted` */
  async verify({ name, document }: VersionDocument): Promise<AppLayerManifest> {
    const manifest = await this.verifier.verify(document);
    if (manifest.name === name) return manifest;
    throw new AppRefusal('untrusted', `what was signed is a layer of ${manifest.name}`);
  }

  /** Serves a version to a machine. @throws AppRefusal, VolumeError */
  async serve(machineId: string, version: VersionDocument, signal?: AbortSignal): Promise<MachineVolume> {
    const { volumeId } = await this.verify(version);
    const exported = { id: version.versionId, versionId: volumeId };
    try {
      return await this.exports.open(machineId, exported, signal);
    } catch (error) {
      // As with chunks: only what arrives damaged twice is.
      if (!VolumeError.is(error, 'manifest-damaged')) throw error;
      return await this.openDamaged(machineId, exported, signal);
    }
  }

  /**
   * Attaches a version to a machine; nothing of it is left when it rejects, unless the machine keeps hold of it.
   * @throws AppRefusal, VolumeError, MachineError, and the signal's reason
   */
  async attach(machineId: string, version: VersionDocument, signal: AbortSignal): Promise<void> {
    const startedAt = performance.now();
    const { attachTimeoutMs, readTimeoutMs } = this.options;
    const until = AbortSignal.any([signal, AbortSignal.timeout(attachTimeoutMs)]);
    try {
      const volume = await this.serve(machineId, version, until);
      const reader = this.exports.reader(machineId, version.versionId);
      if (!reader) throw new AppRefusal('failed', 'its export has ended');
      reader.beginSetUp(readTimeoutMs);
      await reader.readEnds(until);
      await this.driver.attachVolume(machineId, volume, { signal: until, timeoutMs: attachTimeoutMs });
    } catch (error) {
      await this.exports.close(machineId, version.versionId);
      // However the call that was under way puts it.
      throw until.aborted ? until.reason : error;
    }
    this.metrics.attachSeconds.observe({ phase: 'host' }, (performance.now() - startedAt) / 1_000);
  }

  private async openDamaged(machineId: string, version: ExportedVersion, signal?: AbortSignal): Promise<MachineVolume> {
    try {
      return await this.exports.open(machineId, version, signal);
    } catch (error) {
      if (VolumeError.is(error, 'manifest-damaged')) await this.damage.markDamaged(version.id, error.message);
      throw error;
    }
  }

  /** Its guest must have let go of it. @throws MachineError `volume-busy` when it has not: it is served on */
  async detach(machineId: string, volumeId: string, signal: AbortSignal): Promise<void> {
    await this.driver.detachVolume(machineId, volumeId, { signal });
    await this.exports.close(machineId, volumeId);
  }
}
