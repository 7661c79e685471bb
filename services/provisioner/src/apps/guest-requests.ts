import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { type GuestMessage, type HypervisorDriver, parseGuestRequest } from '#libs/hypervisor';
import type { Clock } from '#libs/kernel';
import { DesktopApps } from '#libs/sessions';
import { CLOCK, LOGGER, newCorrelationId, runWithCorrelation } from '#libs/telemetry';
import { AppMetrics } from '../metrics/app-metrics.js';
import { DRIVER, PROVISIONER_OPTIONS, type ProvisionerOptions } from '../provisioner-options.js';
import { AppMemory } from './app-memory.js';
import { DesktopAppSync } from './desktop-app-sync.js';

/** People click a few times when nothing happens at once; programs may say more, and are not heard. */
const WISHES = 5;
const WISHES_WITHIN_MS = 10_000;
const TELL_AGAIN_MS = 60_000;

/** Grants what desktops ask for: an application of their person to be started. Any program of a desktop may ask. */
@Injectable()
export class GuestRequests {
  private unsubscribe: (() => void) | undefined;
  /** When the latest wishes of each machine were made. */
  private readonly latest = new Map<string, number[]>();
  /** When it was last told of each machine that it was not heard. */
  private readonly told = new Map<string, number>();

  constructor(
    private readonly rows: DesktopApps,
    private readonly sync: DesktopAppSync,
    private readonly memory: AppMemory,
    private readonly metrics: AppMetrics,
    @Inject(DRIVER) private readonly driver: HypervisorDriver,
    @Inject(PROVISIONER_OPTIONS) private readonly options: ProvisionerOptions,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Call before `driver.start()`, so that nothing is missed. */
  start(): void {
    this.unsubscribe = this.driver.onGuestMessage((message) => void this.hear(message));
  }

  stop(): void {
    this.unsubscribe?.();
  }

  private async hear({ machineId, text }: GuestMessage): Promise<void> {
    const request = parseGuestRequest(text);
    if (!request) return this.ignore(machineId, 'unknown');
    if (!this.mayWish(machineId)) return this.ignore(machineId, 'too-many');
    await runWithCorrelation(newCorrelationId(), async () => {
      try {
        const desktop = await this.rows.wantedApps(machineId);
        const isTheirs = desktop?.wanted.some(({ name, refusal }) => name === request.name && refusal === null);
        if (desktop?.host !== this.options.hostName || !isTheirs) return this.ignore(machineId, 'not-theirs');
        this.memory.of(machineId).menuStarts.set(request.name, request.entry);
        await this.sync.run(machineId);
      } catch (error) {
        // They choose it again; it must not start by itself later.
        this.memory.of(machineId).menuStarts.delete(request.name);
        this.logger.warn({ err: error, desktopId: machineId }, 'a desktop did not get what it asked for');
      }
    });
  }

  private mayWish(machineId: string): boolean {
    const nowMs = this.clock.now().getTime();
    for (const [id, times] of this.latest) if ((times.at(-1) ?? 0) < nowMs - WISHES_WITHIN_MS) this.latest.delete(id);
    const times = (this.latest.get(machineId) ?? []).filter((time) => time > nowMs - WISHES_WITHIN_MS);
    if (times.length >= WISHES) return false;
    this.latest.set(machineId, [...times, nowMs]);
    return true;
  }

  /** What was said is not written down: it may be anything. Nor is each of many: one tells as much. */
  private ignore(machineId: string, reason: 'unknown' | 'too-many' | 'not-theirs'): void {
    this.metrics.ignoredMessages.inc({ reason });
    const nowMs = this.clock.now().getTime();
    for (const [id, atMs] of this.told) if (atMs < nowMs - TELL_AGAIN_MS) this.told.delete(id);
    if (this.told.has(machineId)) return;
    this.told.set(machineId, nowMs);
    this.logger.info({ desktopId: machineId, reason }, 'a message of a desktop was ignored');
  }
}
