import type { Desktop } from '../desktop.entity.js';
import type { MemoryFleet } from './memory-fleet.js';

/** Whether a spare is one to keep: of the given image version, on a host that is not draining. */
export const isCurrent = (fleet: MemoryFleet, desktop: Desktop, imageVersionId: string): boolean =>
  desktop.imageVersionId === imageVersionId && fleet.hosts.get(desktop.host)?.mode !== 'draining';
