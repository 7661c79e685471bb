import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { type VersionDocument, VersionDocuments } from '#libs/apps';
import { type HypervisorDriver, MachineError } from '#libs/hypervisor';
import { DesktopApps } from '#libs/sessions';
import { LOGGER } from '#libs/telemetry';
import { Unserved } from '../exports/unserved.js';
import { isProfileDisk } from '../profiles/profile-disk.js';
import { DRIVER } from '../provisioner-options.js';
import { AppAttacher } from './app-attacher.js';
import { AppMemory } from './app-memory.js';

/** A volume that a machine has. */
interface MachineApp {
  readonly machineId: string;
  readonly volumeId: string;
}

/**
 * Serves the volumes again that machines of an earlier process have: their reads wait for it, for two minutes at most. What
 * cannot be served yet is tried again.
 */
@Injectable()
export class RestoreExports {
  private readonly unserved: Unserved<MachineApp>;
  /** Those of which it was told that they cannot be served: a store may be away for hours. */
  private readonly told = new Set<string>();

  constructor(
    private readonly attacher: AppAttacher,
    private readonly documents: VersionDocuments,
    private readonly rows: DesktopApps,
    private readonly memory: AppMemory,
    @Inject(DRIVER) private readonly driver: HypervisorDriver,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.unserved = new Unserved((missing) => this.serveAll(missing), logger);
  }

  /** Call when the driver has adopted its machines, before anything else. */
  async run(): Promise<void> {
    const machines = (await this.driver.list()).filter(({ state }) => state === 'running');
    for (const { id } of machines) this.memory.adopt(id);
    const found = (await Promise.all(machines.map(({ id }) => this.volumesOf(id)))).flat();
    await this.unserved.begin(found);
    const withVolumes = [...new Set(found.map(({ machineId }) => machineId))];
    await Promise.all(withVolumes.map((id) => this.findLeftovers(id, found)));
  }

  /** Serves what could not be served before. Never rejects; with a store that is away it may take minutes, or for ever. */
  serveMissing(): Promise<void> {
    return this.unserved.retry();
  }

  private async serveAll(missing: readonly MachineApp[]): Promise<boolean[]> {
    const found = await this.documents.of([...new Set(missing.map(({ volumeId }) => volumeId))]);
    const documents = new Map(found.map((document) => [document.versionId, document]));
    return Promise.all(missing.map(({ machineId, volumeId }) => this.serveOne(machineId, documents.get(volumeId))));
  }

  /** @returns whether nothing is left to be done */
  private async serveOne(machineId: string, document: VersionDocument | undefined): Promise<boolean> {
    if (!document) return true;
    const key = `${machineId} ${document.versionId}`;
    try {
      // It may have ended, or let go of the volume, since it was found.
      if (!(await this.driver.volumes(machineId)).includes(document.versionId)) return true;
      await this.attacher.serve(machineId, document);
      this.told.delete(key);
      return true;
    } catch (error) {
      if (error instanceof MachineError && error.code === 'not-found') return true;
      const about = { err: error, machineId, app: document.name };
      this.logger[this.told.has(key) ? 'debug' : 'warn'](about, 'an application is not served again yet');
      this.told.add(key);
      return false;
    }
  }

  private async volumesOf(machineId: string): Promise<MachineApp[]> {
    try {
      const volumeIds = (await this.driver.volumes(machineId)).filter((id) => !isProfileDisk(id));
      return volumeIds.map((volumeId) => ({ machineId, volumeId }));
    } catch (error) {
      this.logger.warn({ err: error, machineId }, 'a machine does not say which volumes it has');
      return [];
    }
  }

  /** No row may tell any more of what was to be taken away. */
  private async findLeftovers(machineId: string, found: readonly MachineApp[]): Promise<void> {
    const desktop = await this.rows.wantedApps(machineId);
    const wanted = new Set(desktop?.wanted.map(({ versionId }) => versionId));
    const isLeftOver = found.some((each) => each.machineId === machineId && !wanted.has(each.volumeId));
    if (desktop && isLeftOver) this.memory.of(machineId).hasLeftovers = true;
  }
}
