import type { Desktop } from '../desktop.entity.js';
import type { DesktopOrder } from '../fleet-transaction.js';

export function newDesktop(id: string, order: DesktopOrder, host: string, at: Date): Desktop {
  return {
    id,
    poolId: order.poolId,
    imageVersionId: order.imageVersionId,
    host,
    state: 'provisioning',
    stateChangedAt: at,
    deadline: new Date(at.getTime() + order.deadlineSeconds * 1000),
    sessionId: null,
    assignedAt: null,
    displayHost: null,
    displayPort: null,
    sealedDisplayPassword: null,
    startMethod: null,
    startMs: null,
    reason: null,
    createdAt: at,
  };
}
