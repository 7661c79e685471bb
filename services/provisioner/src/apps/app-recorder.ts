import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import type { SessionAppState } from '#libs/contracts';
import { DesktopApps, type WantedApp } from '#libs/sessions';
import { LOGGER } from '#libs/telemetry';
import { AppMetrics } from '../metrics/app-metrics.js';
import { AppMemory } from './app-memory.js';
import type { AppRefusal } from './app-refusal.js';
import { isHeldAsWanted } from './plan-apps.js';

/** From here what a desktop has must be given up before it is shown or attached anew. */
const settled: Readonly<Partial<Record<SessionAppState, readonly SessionAppState[]>>> = {
  attaching: ['ready'],
  'on-demand': ['ready', 'attaching', 'failed'],
};

/** Writes down what has become of applications, for the person and for IT. */
@Injectable()
export class AppRecorder {
  constructor(
    private readonly rows: DesktopApps,
    private readonly memory: AppMemory,
    private readonly metrics: AppMetrics,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Nothing happens when the desktop has been given back meanwhile. */
  async record(desktopId: string, app: WantedApp, state: Exclude<SessionAppState, 'failed'>): Promise<void> {
    if (isHeldAsWanted(app) && app.held?.state === state) return;
    const { appId, versionId, mode, held } = app;
    if (held && settled[state]?.includes(held.state)) {
      await this.rows.recordState(desktopId, appId, { versionId, mode, state: 'waiting' });
    }
    await this.rows.recordState(desktopId, appId, { versionId, mode, state });
    if (state === 'ready') this.memory.of(desktopId).succeeded(versionId);
  }

  async fail(desktopId: string, sessionId: string, app: WantedApp, refusal: AppRefusal): Promise<void> {
    const { appId, versionId, mode, name } = app;
    const { reason, message } = refusal;
    this.logger.warn({ desktopId, app: name, reason, err: refusal }, 'a desktop goes without an application');
    await this.rows.recordState(desktopId, appId, { versionId, mode, state: 'failed', reason, detail: message });
    // Nobody waits for it any more, also when it had failed in the same way before.
    if (app.isStartWanted) await this.rows.takeStarts(sessionId, [appId]);
    this.metrics.failures.inc({ app: name, reason });
    const memory = this.memory.of(desktopId);
    memory.menuStarts.delete(name);
    if (reason === 'too-slow' || reason === 'failed') memory.failed(versionId);
    else memory.succeeded(versionId);
  }
}
