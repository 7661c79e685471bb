const key = (pool: string): string => `goldleaf.cold-start-seconds.${pool}`;

/** Seconds that the last cold start of `pool` took on this browser; null when none is known. */
export function coldStartSeconds(pool: string): number | null {
  try {
    const seconds = Number(localStorage.getItem(key(pool)));
    return seconds > 0 && seconds < 600 ? seconds : null;
  } catch {
    return null; // kiosk browsers may have no storage
  }
}

export function rememberColdStart(pool: string, seconds: number): void {
  try {
    localStorage.setItem(key(pool), seconds.toFixed(1));
  } catch {
    // Only a nicer estimate is lost.
  }
}
