import type { Desktop } from '../desktop.entity.js';
import { HOST_OFFLINE_AFTER_SECONDS } from '../host-offline.js';
import type { MemoryFleet } from './memory-fleet.js';

/** Whether a spare is one to keep: of the given image version, on a host where it can stay. */
export const isCurrent = (fleet: MemoryFleet, desktop: Desktop, imageVersionId: string): boolean =>
  desktop.imageVersionId === imageVersionId && isOnStayingHost(fleet, desktop);

/** Whether it is on a host that does not drain and whose provisioner was heard of. */
export function isOnStayingHost(fleet: MemoryFleet, desktop: Desktop): boolean {
  const host = fleet.hosts.get(desktop.host);
  const heardAfterMs = fleet.clock.now().getTime() - HOST_OFFLINE_AFTER_SECONDS * 1000;
  return host !== undefined && host.mode !== 'draining' && host.lastSeenAt.getTime() > heardAfterMs;
}
