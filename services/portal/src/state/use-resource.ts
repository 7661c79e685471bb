import { useCallback, useEffect, useRef, useState } from 'react';
import { type ApiError, toApiError } from '../api/api-error.js';
import { usePortal } from './portal-context.js';

export interface Resource<T> {
  /** Null until the first answer; the last good one after a failure. */
  readonly data: T | null;
  readonly problem: ApiError | null;
  reload(): Promise<void>;
}

const readAgainAfterUsuallyMs = 10_000;

/** Reads with `load`, which must stay the same function, and again and again while the page can be seen. */
export function useResource<T>(load: () => Promise<T>, readAgainAfterMs = readAgainAfterUsuallyMs): Resource<T> {
  const portal = usePortal();
  const [data, setData] = useState<T | null>(null);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const round = useRef(0);

  const reload = useCallback(async (): Promise<void> => {
    round.current += 1;
    const mine = round.current;
    try {
      const read = await load();
      if (mine !== round.current) return;
      setData(read);
      setProblem(null);
    } catch (error) {
      const failed = toApiError(error);
      if (mine === round.current && !portal.signedOutBy(failed)) setProblem(failed);
    }
  }, [load, portal]);

  useEffect(() => {
    void reload();
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void reload();
    }, readAgainAfterMs);
    return () => {
      clearInterval(timer);
      round.current += 1;
    };
  }, [reload, readAgainAfterMs]);

  return { data, problem, reload };
}
