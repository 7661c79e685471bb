import { Injectable } from '@nestjs/common';
import { MessageBus } from '#libs/bus';
import { recordStateEvent, type UnitOfWork } from '#libs/database';
import { currentCorrelationId } from '#libs/telemetry';
import { desktopStates } from './desktop-states.js';

export interface AssignedDesktop {
  readonly id: string;
  readonly host: string;
}

/** Gives a spare to a session: one statement, exactly once, however many brokers ask at the same moment. */
@Injectable()
export class DesktopAllocation {
  constructor(private readonly bus: MessageBus) {}

  /** @returns undefined when the pool has no spare now */
  async claimSpare(unit: UnitOfWork, poolId: string, sessionId: string): Promise<AssignedDesktop | undefined> {
    const [claimed] = await unit.rows<AssignedDesktop>(
      `UPDATE desktops SET state = 'assigned', session_id = $2, assigned_at = now(), state_changed_at = now()
        WHERE id = (SELECT desktops.id FROM desktops JOIN image_versions ON image_versions.id = image_version_id
                     WHERE pool_id = $1 AND desktops.state = 'available'
                     ORDER BY image_versions.number DESC, desktops.state_changed_at
                     LIMIT 1 FOR UPDATE OF desktops SKIP LOCKED)
        RETURNING id, host`,
      [poolId, sessionId],
    );
    if (!claimed) return undefined;
    await recordStateEvent(unit, {
      entity: desktopStates.name,
      id: claimed.id,
      from: 'available',
      to: 'assigned',
      reason: `session ${sessionId}`,
      correlationId: currentCorrelationId(),
    });
    unit.afterCommit(() => this.bus.publish({ type: 'desktop', desktopId: claimed.id, poolId }));
    return claimed;
  }
}
