import type { TunnelCloseReason } from '#libs/contracts';
import type { RelayLimits } from './relay-limits.js';

/** What the watch sees of a tunnel when it looks. */
export interface TunnelSight {
  readonly syncs: number;
  /** Bytes that wait for the browser. */
  readonly waitingBytes: number;
  /** guacd is not read because the browser is slow. */
  readonly desktopPaused: boolean;
  /** The browser is not read because guacd is slow. */
  readonly browserPaused: boolean;
}

/**
 * Knows from their silence that guacd, the display or the browser is dead. Counts time in looks of limited length, so
 * that a process which itself stood still does not take its own pause for silence.
 */
export class RelayWatch {
  private desktopQuietMs = 0;
  private withoutSyncMs = 0;
  private browserQuietMs = 0;
  private browserStalledMs = 0;
  private syncsSeen = 0;
  private waitingSeen = 0;

  constructor(private readonly limits: RelayLimits) {}

  heardDesktop(): void {
    this.desktopQuietMs = 0;
  }

  heardBrowser(): void {
    this.browserQuietMs = 0;
  }

  /**
   * @param elapsedMs since the last look
   * @returns why the tunnel must close, `ping` when the browser should be asked, or undefined
   */
  look(sight: TunnelSight, elapsedMs: number): TunnelCloseReason | 'ping' | undefined {
    const { limits } = this;
    const stepMs = Math.min(elapsedMs, 2 * limits.checkEveryMs);
    return this.lookAtBrowser(sight, stepMs) ?? this.lookAtDesktop(sight, stepMs) ?? this.askBrowser(sight, stepMs);
  }

  private lookAtBrowser(sight: TunnelSight, stepMs: number): TunnelCloseReason | undefined {
    const stuck = sight.desktopPaused && sight.waitingBytes >= this.waitingSeen;
    this.browserStalledMs = stuck ? this.browserStalledMs + stepMs : 0;
    this.waitingSeen = sight.waitingBytes;
    return this.browserStalledMs >= this.limits.browserStallTimeoutMs ? 'browser-stalled' : undefined;
  }

  private lookAtDesktop(sight: TunnelSight, stepMs: number): TunnelCloseReason | undefined {
    if (sight.syncs > this.syncsSeen) this.withoutSyncMs = 0;
    this.syncsSeen = sight.syncs;
    // While it is not read, its silence says nothing.
    if (sight.desktopPaused) return undefined;
    this.desktopQuietMs += stepMs;
    this.withoutSyncMs += stepMs;
    if (sight.syncs === 0) {
      return this.withoutSyncMs >= this.limits.firstSyncTimeoutMs ? 'desktop-never-drew' : undefined;
    }
    const silent =
      this.desktopQuietMs >= this.limits.silenceTimeoutMs || this.withoutSyncMs >= this.limits.syncTimeoutMs;
    return silent ? 'desktop-silent' : undefined;
  }

  private askBrowser(sight: TunnelSight, stepMs: number): TunnelCloseReason | 'ping' | undefined {
    if (sight.browserPaused || sight.desktopPaused) return undefined;
    this.browserQuietMs += stepMs;
    if (this.browserQuietMs >= this.limits.browserGoneTimeoutMs) return 'browser-gone';
    return this.browserQuietMs >= this.limits.browserPingAfterMs ? 'ping' : undefined;
  }
}
