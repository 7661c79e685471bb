import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { VersionDocuments } from '#libs/apps';
import type { HypervisorDriver } from '#libs/hypervisor';
import { DesktopApps } from '#libs/sessions';
import { LOGGER } from '#libs/telemetry';
import { DRIVER } from '../provisioner-options.js';
import { AppAttacher } from './app-attacher.js';
import { AppMemory } from './app-memory.js';

/**
 * Serves the volumes again that machines of an earlier process have: their reads wait for it, for two minutes at most. What
 * cannot be served yet is tried again.
 */
@Injectable()
export class RestoreExports {
  /** Volumes that machines have and that are not served, as pairs. */
  private missing: { readonly machineId: string; readonly volumeId: string }[] = [];

  constructor(
    private readonly attacher: AppAttacher,
    private readonly documents: VersionDocuments,
    private readonly rows: DesktopApps,
    private readonly memory: AppMemory,
    @Inject(DRIVER) private readonly driver: HypervisorDriver,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Call when the driver has adopted its machines, before anything else. */
  async run(): Promise<void> {
    const machines = (await this.driver.list()).filter(({ state }) => state === 'running');
    for (const { id } of machines) this.memory.adopt(id);
    const found = await Promise.all(machines.map(({ id }) => this.volumesOf(id)));
    this.missing = found.flat();
    await this.serveMissing();
    await Promise.all(
      [...new Set(found.flat().map(({ machineId }) => machineId))].map((id) => this.findLeftovers(id, found.flat())),
    );
  }

  /** Serves what could not be served before. */
  async serveMissing(): Promise<void> {
    if (this.missing.length === 0) return;
    const found = await this.documents.of([...new Set(this.missing.map(({ volumeId }) => volumeId))]);
    const documents = new Map(found.map((document) => [document.versionId, document]));
    const running = new Set((await this.driver.list()).map(({ id }) => id));
    const served = await Promise.all(
      this.missing.map(async ({ machineId, volumeId }) => {
        const document = documents.get(volumeId);
        if (!document || !running.has(machineId)) return true;
        try {
          await this.attacher.serve(machineId, document);
          return true;
        } catch (error) {
          this.logger.warn({ err: error, machineId, app: document.name }, 'an application is not served again yet');
          return false;
        }
      }),
    );
    this.missing = this.missing.filter((_, index) => !served[index]);
  }

  private async volumesOf(machineId: string): Promise<typeof this.missing> {
    try {
      return (await this.driver.volumes(machineId)).map((volumeId) => ({ machineId, volumeId }));
    } catch (error) {
      this.logger.warn({ err: error, machineId }, 'a machine does not say which volumes it has');
      return [];
    }
  }

  /** No row may tell any more of what was to be taken away. */
  private async findLeftovers(machineId: string, found: typeof this.missing): Promise<void> {
    const desktop = await this.rows.wantedApps(machineId);
    const wanted = new Set(desktop?.wanted.map(({ versionId }) => versionId));
    const isLeftOver = found.some((each) => each.machineId === machineId && !wanted.has(each.volumeId));
    if (desktop && isLeftOver) this.memory.of(machineId).hasLeftovers = true;
  }
}
