import type { Logger } from 'pino';
import {
  type GuestAppState,
  type HypervisorDriver,
  MachineError,
  startGuestApp,
  syncGuestApps,
  type WantedApp as WantedInGuest,
} from '#libs/hypervisor';
import type { DesktopApps, WantedApp, WantedApps } from '#libs/sessions';
import type { MachineExports } from '../exports/machine-exports.js';
import type { AppMetrics } from '../metrics/app-metrics.js';
import { isProfileDisk } from '../profiles/profile-disk.js';
import type { AppAttacher } from './app-attacher.js';
import type { DesktopMemory } from './app-memory.js';
import type { AppOptions } from './app-options.js';
import type { AppRecorder } from './app-recorder.js';
import { AppRefusal, refusalOf } from './app-refusal.js';
import { Arrivals } from './arrivals.js';
import { type AppPlan, isHeldAsWanted, planApps } from './plan-apps.js';

/** What the rounds of all desktops share. */
export interface RoundParts {
  readonly driver: HypervisorDriver;
  readonly rows: DesktopApps;
  readonly attacher: AppAttacher;
  readonly recorder: AppRecorder;
  readonly exports: MachineExports;
  readonly metrics: AppMetrics;
  readonly options: AppOptions;
  readonly logger: Logger;
}

/**
 * Makes the applications of a desktop once what they should be. Each comes as fast as it can: what is attached soon is
 * merged together, what is slow follows or fails alone.
 */
export class AppRound {
  private readonly desktopId: string;
  /** What the guest is to have merged, by name. */
  private readonly attached = new Map<string, WantedApp>();
  /** Of those, the ones of which it has not said that they are ready. */
  private readonly fresh = new Set<WantedApp>();
  /** Versions that are on their way. */
  private readonly coming = new Set<string>();
  private readonly starts = new Map<WantedApp, Promise<void>>();
  private plan: AppPlan = { attached: [], menu: [], refused: [] };
  private has = new Set<string>();

  constructor(
    private readonly parts: RoundParts,
    private readonly desktop: WantedApps,
    private readonly memory: DesktopMemory,
    private readonly signal: AbortSignal,
  ) {
    this.desktopId = desktop.desktopId;
  }

  /** @throws MachineError when the machine or its guest cannot be told; the signal's reason */
  async run(): Promise<void> {
    const volumes = await this.parts.driver.volumes(this.desktopId);
    this.has = new Set(volumes.filter((id) => !isProfileDisk(id)));
    if (this.isNothing()) return;
    this.plan = planApps(this.desktop.wanted, this.has, (app) => this.isAskedFor(app));
    const arrivals = new Arrivals(this.plan.attached.map((app) => this.bring(app)));
    await this.recordRefused();
    await arrivals.within(this.parts.options.togetherMs);
    await this.tellGuest();
    await this.takeAway();
    while (await arrivals.more()) await this.tellGuest();
    await this.takeAway();
    await Promise.all(this.starts.values());
  }

  private isNothing(): boolean {
    const { wanted, leaving } = this.desktop;
    return wanted.length + leaving.length + this.has.size === 0 && !this.memory.hasBeenTold;
  }

  private isAskedFor({ name, versionId, isStartWanted, held }: WantedApp): boolean {
    if (isStartWanted || this.memory.menuStarts.has(name)) return true;
    return held?.state === 'failed' && this.memory.mayRetry(versionId);
  }

  private async recordRefused(): Promise<void> {
    const news = this.plan.refused.filter(
      ({ app }) => app.isStartWanted || app.held?.state !== 'failed' || !isHeldAsWanted(app),
    );
    await Promise.all(
      news.map(({ app, reason }) => this.fail(app, new AppRefusal(reason, `this version is ${reason}`))),
    );
  }

  private async bring(app: WantedApp): Promise<void> {
    const { attacher, recorder } = this.parts;
    const { desktopId, signal } = this;
    const isReady = this.has.has(app.versionId) && app.held?.versionId === app.versionId && app.held.state === 'ready';
    this.coming.add(app.versionId);
    // From the first telling on: a guest that is not told of it takes it away, and ends what the person works with.
    if (isReady) this.attached.set(app.name, app);
    const recorded = recorder.record(desktopId, app, isReady ? 'ready' : 'attaching');
    // Waited for below; a database that refuses meanwhile must not end the process.
    recorded.catch(() => undefined);
    try {
      if (isReady) await this.serveOn(app);
      else if (this.has.has(app.versionId)) await attacher.serve(desktopId, app, this.inTime());
      else await attacher.attach(desktopId, app, signal);
      this.has.add(app.versionId);
      this.attached.set(app.name, app);
      if (!isReady) this.fresh.add(app);
    } catch (error) {
      signal.throwIfAborted();
      // Its machine has ended, and that is nothing to tell of the application.
      if (error instanceof MachineError && error.code === 'not-found') throw error;
      await recorded;
      await this.fail(app, refusalOf(error));
    } finally {
      this.coming.delete(app.versionId);
      await recorded;
    }
  }

  /** Others of the desktop do not wait for a store that does not answer. */
  private inTime(): AbortSignal {
    return AbortSignal.any([this.signal, AbortSignal.timeout(this.parts.options.attachTimeoutMs)]);
  }

  /** What works is not taken away because the store does not answer. @throws AppRefusal */
  private async serveOn(app: WantedApp): Promise<void> {
    const { attacher, logger } = this.parts;
    try {
      await attacher.serve(this.desktopId, app, this.inTime());
    } catch (error) {
      if (error instanceof AppRefusal) throw error;
      logger.warn({ err: error, desktopId: this.desktopId, app: app.name }, 'an application is not served again yet');
    }
  }

  /** Has the guest make its applications what they should be by now. */
  private async tellGuest(): Promise<void> {
    const { driver, options, metrics } = this.parts;
    const list = await this.guestList();
    if (this.fresh.size > 0 || !this.memory.wasTold(list)) {
      const startedAt = performance.now();
      this.memory.forgetTold();
      try {
        const call = { signal: this.signal, timeoutMs: options.guestTimeoutMs };
        const { apps } = await syncGuestApps(driver, this.desktopId, list, call);
        metrics.attachSeconds.observe({ phase: 'guest' }, (performance.now() - startedAt) / 1_000);
        const failed = new Set(apps.filter(({ state }) => state === 'failed').map(({ name }) => name));
        this.memory.tell(list.filter(({ name }) => !failed.has(name)));
        await Promise.all(apps.map((state) => this.take(state)));
      } catch (error) {
        await this.blame(error);
        return this.tellGuest();
      }
    }
    for (const app of this.attached.values()) {
      if (!this.fresh.has(app) && !this.starts.has(app)) this.starts.set(app, this.start(app));
    }
  }

  private async guestList(): Promise<WantedInGuest[]> {
    const attached = [...this.attached.values()].map(({ name, versionId }) => ({
      name,
      mode: 'attached' as const,
      volumeId: versionId,
    }));
    // One that is on its way, or could not be had, is offered meanwhile.
    const offered = [...this.plan.menu, ...this.plan.attached].filter(
      ({ mode, name }) => mode === 'on-demand' && !this.attached.has(name),
    );
    const menu = await Promise.all(offered.map((app) => this.menuEntries(app)));
    return [...attached, ...menu.flat()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  private async menuEntries(app: WantedApp): Promise<WantedInGuest[]> {
    try {
      const { entries, icon } = await this.parts.attacher.verify(app);
      return [{ name: app.name, mode: 'on-demand', entries, icon }];
    } catch (error) {
      if (app.held?.state !== 'failed' && this.plan.menu.includes(app)) await this.fail(app, refusalOf(error));
      return [];
    }
  }

  /** What the guest says of an application. */
  private async take(state: GuestAppState): Promise<void> {
    const { recorder, exports } = this.parts;
    const app = this.desktop.wanted.find(({ name }) => name === state.name);
    if (!app) return;
    const reader = exports.reader(this.desktopId, app.versionId);
    if (state.state === 'failed') {
      const { lastFailure } = reader ?? {};
      await this.fail(app, lastFailure ? refusalOf(lastFailure) : new AppRefusal(state.reason, state.detail));
    } else if (state.state === 'ready' && this.attached.has(app.name)) {
      reader?.endSetUp();
      this.fresh.delete(app);
      await recorder.record(this.desktopId, app, 'ready');
    } else if (this.attached.has(app.name)) {
      await this.fail(app, new AppRefusal('failed', 'the guest says that it has it in its menu only'));
    } else if (this.plan.menu.includes(app) && !(app.held?.state === 'failed' && isHeldAsWanted(app))) {
      await recorder.record(this.desktopId, app, 'on-demand');
    }
  }

  /**
   * The guest could not do it at all: those that it was given and that the store kept from it are left out, or all of
   * them when none stands out.
   * @throws what went wrong, when it was given nothing new
   */
  private async blame(error: unknown): Promise<void> {
    this.signal.throwIfAborted();
    if (this.fresh.size === 0 || (error instanceof MachineError && error.code === 'not-found')) throw error;
    const failureOf = ({ versionId }: WantedApp) => this.parts.exports.reader(this.desktopId, versionId)?.lastFailure;
    const fresh = [...this.fresh];
    const culprits = fresh.filter((app) => failureOf(app) !== undefined);
    const blamed = culprits.length > 0 ? culprits : fresh;
    await Promise.all(blamed.map((app) => this.fail(app, refusalOf(failureOf(app) ?? error))));
  }

  private async fail(app: WantedApp, refusal: AppRefusal): Promise<void> {
    this.attached.delete(app.name);
    this.fresh.delete(app);
    await this.parts.recorder.fail(this.desktopId, this.desktop.sessionId, app, refusal);
  }

  /** Takes the volumes away that nobody wants; the guest has let go of them. */
  private async takeAway(): Promise<void> {
    const { attacher, exports, rows, logger } = this.parts;
    const wanted = new Set([...this.coming, ...[...this.attached.values()].map(({ versionId }) => versionId)]);
    const served = exports.volumeIds(this.desktopId).filter((id) => !isProfileDisk(id));
    const unwanted = [...new Set([...this.has, ...served])].filter((id) => !wanted.has(id));
    this.memory.hasLeftovers = false;
    await Promise.all(
      unwanted.map(async (volumeId) => {
        try {
          await attacher.detach(this.desktopId, volumeId, this.signal);
          this.has.delete(volumeId);
        } catch (error) {
          this.signal.throwIfAborted();
          this.memory.hasLeftovers = true;
          logger.warn(
            { err: error, desktopId: this.desktopId, volumeId },
            'a volume was not taken away; it is tried again',
          );
        }
      }),
    );
    await Promise.all(this.desktop.leaving.map(({ appId }) => rows.forget(this.desktopId, appId)));
  }

  /** Starts an application that is ready, if somebody waits for that. */
  private async start(app: WantedApp): Promise<void> {
    const { rows, driver, logger } = this.parts;
    try {
      const entry = this.memory.takeMenuStart(app.name);
      const [isWanted] = app.isStartWanted ? await rows.takeStarts(this.desktop.sessionId, [app.appId]) : [];
      if (entry === undefined && isWanted === undefined) return;
      await startGuestApp(driver, this.desktopId, app.name, { signal: this.signal, ...(entry ? { entry } : {}) });
    } catch (error) {
      logger.warn({ err: error, desktopId: this.desktopId, app: app.name }, 'an application was not started');
    }
  }
}
