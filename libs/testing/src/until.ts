const LONGEST_PAUSE_MS = 100;

/**
 * Looks until `condition` gives something but undefined and false: soon at first, then ten times a second. What it
 * throws counts as "not yet".
 * @throws Error that says what was waited for; its cause is what the condition threw last
 */
export async function until<T>(
  what: string,
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let cause: unknown;
  for (let pauseMs = 5; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      const result = await condition();
      if (result !== undefined && result !== false) return result;
    } catch (error) {
      cause = error;
    }
    if (Date.now() >= deadline) throw new Error(`timed out after ${timeoutMs} ms: ${what}`, { cause });
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
