import { Inject, Injectable } from '@nestjs/common';
import type { WantedApp } from '#libs/hypervisor';
import type { Clock } from '#libs/kernel';
import { CLOCK } from '#libs/telemetry';
import { APP_OPTIONS, type AppOptions } from './app-options.js';

/** A round that failed is tried again at once, then after this and ever longer waits: its guest may be anything. */
const REST_MS = 5_000;
const LONGEST_REST_MS = 5 * 60_000;

/** What this process knows of the applications of a desktop; nothing that the rows or the machine would not tell. */
export class DesktopMemory {
  /** Volumes that nobody wants were not let go of. */
  hasLeftovers = false;
  /** Chosen in the desktop's own menu: the entry to start, by the name of the application. */
  readonly menuStarts = new Map<string, string>();
  /** What the guest has, as text, as far as that is known. */
  private told: string | undefined;
  /** Of versions that failed in a way that may pass: how often, and when to try again. */
  private readonly failures = new Map<string, { count: number; retryAtMs: number }>();

  private failedRounds = 0;
  private restsUntilMs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly retryAfterMs: readonly number[],
    /** Whether the guest may have been told something by an earlier process. */
    isAdopted: boolean,
  ) {
    if (!isAdopted) this.tell([]);
  }

  /** Whether the guest has anything from us. */
  get hasBeenTold(): boolean {
    return this.told !== undefined && this.told !== JSON.stringify([]);
  }

  wasTold(list: readonly WantedApp[]): boolean {
    return this.told === JSON.stringify(list);
  }

  tell(list: readonly WantedApp[]): void {
    this.told = JSON.stringify(list);
  }

  forgetTold(): void {
    this.told = undefined;
  }

  /** A round ended, well or not. */
  roundEnded(isGood: boolean): void {
    this.failedRounds = isGood ? 0 : this.failedRounds + 1;
    const restMs = this.failedRounds < 2 ? 0 : Math.min(REST_MS * 2 ** (this.failedRounds - 2), LONGEST_REST_MS);
    this.restsUntilMs = this.clock.now().getTime() + restMs;
  }

  /** Rounds have failed again and again: no more of them unless somebody asks for one. */
  get isResting(): boolean {
    return this.clock.now().getTime() < this.restsUntilMs;
  }

  get isRetryDue(): boolean {
    return [...this.failures.keys()].some((versionId) => this.mayRetry(versionId));
  }

  mayRetry(versionId: string): boolean {
    const failure = this.failures.get(versionId);
    return failure !== undefined && this.clock.now().getTime() >= failure.retryAtMs;
  }

  failed(versionId: string): void {
    const count = (this.failures.get(versionId)?.count ?? 0) + 1;
    const waitMs = this.retryAfterMs[count - 1] ?? Number.POSITIVE_INFINITY;
    this.failures.set(versionId, { count, retryAtMs: this.clock.now().getTime() + waitMs });
  }

  succeeded(versionId: string): void {
    this.failures.delete(versionId);
  }

  takeMenuStart(name: string): string | undefined {
    const entry = this.menuStarts.get(name);
    this.menuStarts.delete(name);
    return entry;
  }
}

/** What this process knows of the applications of each desktop. */
@Injectable()
export class AppMemory {
  private readonly desktops = new Map<string, DesktopMemory>();
  private readonly adopted = new Set<string>();

  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(APP_OPTIONS) private readonly options: AppOptions,
  ) {}

  of(desktopId: string): DesktopMemory {
    let memory = this.desktops.get(desktopId);
    if (!memory) {
      memory = new DesktopMemory(this.clock, this.options.retryAfterMs, this.adopted.has(desktopId));
      this.desktops.set(desktopId, memory);
    }
    return memory;
  }

  /** Its machine was made by an earlier process. */
  adopt(desktopId: string): void {
    this.adopted.add(desktopId);
  }

  forget(desktopId: string): void {
    this.adopted.delete(desktopId);
    this.desktops.delete(desktopId);
  }

  get desktopIds(): readonly string[] {
    return [...this.desktops.keys()];
  }

  /** Desktops with something left to do that no row tells of. */
  unfinished(): string[] {
    return [...this.desktops].flatMap(([id, memory]) => (memory.hasLeftovers || memory.isRetryDue ? [id] : []));
  }
}
