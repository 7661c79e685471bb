import { useCallback, useEffect } from 'react';
import type { ProfileVolumeView } from '#libs/contracts';
import { useApi } from '../state/api-context.js';
import { usePortalState } from '../state/portal-context.js';
import { useResource } from '../state/use-resource.js';

const readAgainAfterMs = 60_000;

interface MyVolumes {
  /** Those that something was saved in; empty until the first answer, which comes after that about the pools. */
  readonly volumes: readonly ProfileVolumeView[];
  reload(): Promise<void>;
}

/** The person's own profiles. */
export function useMyVolumes(): MyVolumes {
  const api = useApi();
  const { pools, sessions } = usePortalState();
  const wanted = pools !== null;
  const load = useCallback(() => (wanted ? api.myProfileVolumes() : Promise.resolve([])), [api, wanted]);
  const { data, reload } = useResource(load, readAgainAfterMs);

  // A desktop that was given back has saved something.
  const live = sessions.map((session) => `${session.id} ${session.state}`).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: read again when they change
  useEffect(() => void reload(), [live, reload]);

  return { volumes: data?.filter((volume) => volume.newest !== null) ?? [], reload };
}
