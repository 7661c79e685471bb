import { describe, expect, it } from '@jest/globals';
import { defaultRelayLimits } from './relay-limits.js';
import { RelayWatch, type TunnelSight } from './relay-watch.js';

const limits = {
  ...defaultRelayLimits,
  checkEveryMs: 500,
  silenceTimeoutMs: 5_000,
  syncTimeoutMs: 9_000,
  firstSyncTimeoutMs: 3_000,
  browserStallTimeoutMs: 10_000,
  browserPingAfterMs: 4_000,
  browserGoneTimeoutMs: 12_000,
};
const quiet: TunnelSight = { syncs: 1, waitingBytes: 0, desktopPaused: false, browserPaused: false };

/** Looks every 500 ms until there is a verdict; `between` says what is heard before each look. */
function run(
  sight: (atMs: number) => TunnelSight,
  between: (watch: RelayWatch, atMs: number) => void = () => undefined,
) {
  const watch = new RelayWatch(limits);
  for (let atMs = 500; atMs <= 30_000; atMs += 500) {
    between(watch, atMs);
    const verdict = watch.look(sight(atMs), 500);
    if (verdict !== undefined && verdict !== 'ping') return { verdict, atMs };
  }
  return undefined;
}
const heardAll = (watch: RelayWatch) => {
  watch.heardBrowser();
  watch.heardDesktop();
};

describe('RelayWatch', () => {
  it('leaves a living tunnel alone', () => {
    expect(run((atMs) => ({ ...quiet, syncs: Math.ceil(atMs / 1000) }), heardAll)).toBeUndefined();
  });

  it('knows a dead display by its silence', () => {
    expect(run(() => quiet)).toEqual({ verdict: 'desktop-silent', atMs: 5_000 });
  });

  it('knows a display that keeps alive but draws no frame', () => {
    expect(run(() => quiet, heardAll)).toEqual({ verdict: 'desktop-silent', atMs: 9_000 });
  });

  it('gives the first frame a deadline', () => {
    expect(run(() => ({ ...quiet, syncs: 0 }), heardAll)).toEqual({ verdict: 'desktop-never-drew', atMs: 3_000 });
  });

  it('does not blame the display while the browser is slow', () => {
    const slow = (atMs: number) => ({ ...quiet, desktopPaused: true, waitingBytes: 300_000 - atMs });
    expect(run(slow)).toBeUndefined();
  });

  it('gives up a browser that takes nothing', () => {
    const stuck = { ...quiet, desktopPaused: true, waitingBytes: 300_000 };
    expect(run(() => stuck)).toEqual({ verdict: 'browser-stalled', atMs: 10_000 });
  });

  it('asks a quiet browser, then gives it up', () => {
    const heardDesktop = (watch: RelayWatch) => watch.heardDesktop();
    const living = (atMs: number) => ({ ...quiet, syncs: atMs });
    expect(run(living, heardDesktop)).toEqual({ verdict: 'browser-gone', atMs: 12_000 });
  });

  it('does not take a pause of the process for silence', () => {
    const watch = new RelayWatch(limits);
    expect(watch.look(quiet, 3_600_000)).toBeUndefined();
  });
});
