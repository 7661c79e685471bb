import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { type HypervisorDriver, MachineError } from '#libs/hypervisor';
import { SharedRun } from '#libs/kernel';
import { DesktopApps } from '#libs/sessions';
import { LOGGER } from '#libs/telemetry';
import { MachineExports } from '../exports/machine-exports.js';
import { AppMetrics } from '../metrics/app-metrics.js';
import { DRIVER, PROVISIONER_OPTIONS, type ProvisionerOptions } from '../provisioner-options.js';
import { AppAttacher } from './app-attacher.js';
import { AppMemory } from './app-memory.js';
import { APP_OPTIONS, type AppOptions } from './app-options.js';
import { AppRecorder } from './app-recorder.js';
import { AppRound, type RoundParts } from './app-round.js';

/** Makes the applications of desktops what they should be, one round at a time for each desktop. */
@Injectable()
export class DesktopAppSync {
  private readonly parts: RoundParts;
  private readonly runs = new SharedRun();
  private readonly underWay = new Map<string, AbortController>();
  private isStopped = false;

  constructor(
    private readonly rows: DesktopApps,
    private readonly memory: AppMemory,
    private readonly exports: MachineExports,
    attacher: AppAttacher,
    recorder: AppRecorder,
    metrics: AppMetrics,
    @Inject(DRIVER) driver: HypervisorDriver,
    @Inject(PROVISIONER_OPTIONS) private readonly options: ProvisionerOptions,
    @Inject(APP_OPTIONS) appOptions: AppOptions,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.parts = { driver, rows, attacher, recorder, exports, metrics, options: appOptions, logger };
  }

  /**
   * Settles when a round has ended that began after this call. A desktop that nobody has any more is left alone.
   * @throws MachineError when the machine or its guest cannot be told
   */
  run(desktopId: string): Promise<void> {
    return this.runs.run(desktopId, () => this.once(desktopId));
  }

  isRunning(desktopId: string): boolean {
    return this.underWay.has(desktopId);
  }

  /** The desktop's machine is about to be destroyed: ends what is under way. */
  abandon(desktopId: string): void {
    this.underWay.get(desktopId)?.abort(new Error('the desktop is gone'));
  }

  /** The desktop's machine is gone: nothing is served to it any more. */
  async release(desktopId: string): Promise<void> {
    this.abandon(desktopId);
    this.memory.forget(desktopId);
    await this.exports.release(desktopId);
  }

  /** Ends all rounds. What they began is completed by the next process. */
  stop(): void {
    this.isStopped = true;
    for (const desktopId of this.underWay.keys()) this.abandon(desktopId);
  }

  private async once(desktopId: string): Promise<void> {
    if (this.isStopped) return;
    const controller = new AbortController();
    this.underWay.set(desktopId, controller);
    try {
      const desktop = await this.rows.wantedApps(desktopId);
      if (desktop?.host !== this.options.hostName) return;
      await new AppRound(this.parts, desktop, this.memory.of(desktopId), controller.signal).run();
      this.memory.of(desktopId).roundEnded(true);
    } catch (error) {
      const isGone = error instanceof MachineError && error.code === 'not-found';
      if (isGone || controller.signal.aborted) return;
      this.memory.of(desktopId).roundEnded(false);
      throw error;
    } finally {
      this.underWay.delete(desktopId);
    }
  }
}
