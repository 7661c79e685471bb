import { useEffect, useState } from 'react';

/** `performance.now()` in milliseconds, again every `intervalMs` while `active`. */
export function useNow(intervalMs: number, active = true): number {
  const [nowMs, setNowMs] = useState(() => performance.now());
  useEffect(() => {
    if (!active) return;
    setNowMs(performance.now());
    const timer = setInterval(() => setNowMs(performance.now()), intervalMs);
    return () => clearInterval(timer);
  }, [intervalMs, active]);
  return nowMs;
}
