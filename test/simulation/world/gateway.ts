import { type FleetTransaction, MemoryFleetStore, type Session } from '#libs/fleet';
import type { Scheduler } from '../engine/scheduler.js';
import type { Tally } from '../report/tally.js';
import type { DataCentre } from './data-centre.js';

/** What the gateway's `ConnectionService` does to sessions: it only shows desktops, so no fault befalls it here. */
export class Gateway {
  private readonly store: MemoryFleetStore;

  constructor(
    centre: DataCentre,
    private readonly scheduler: Scheduler,
    private readonly tally: Tally,
  ) {
    this.store = new MemoryFleetStore(centre.fleet, (statement) => scheduler.turn(null, `gateway ${statement}`));
  }

  async connect(username: string, sessionId: string): Promise<void> {
    await this.move(sessionId, async (tx, session) => {
      const canBeShown = session.state === 'ready' || session.state === 'disconnected';
      const [desktop] = canBeShown ? await tx.assignedDesktops([session.id]) : [];
      if (!desktop) return;
      this.scheduler.note(username, 'sees desktop', desktop.id);
      await tx.moveSessions([{ id: session.id, path: [session.state, 'active'] }]);
      this.tally.count('connected');
    });
  }

  async disconnect(sessionId: string): Promise<void> {
    await this.move(sessionId, async (tx, session) => {
      if (session.state === 'active') await tx.moveSessions([{ id: session.id, path: ['active', 'disconnected'] }]);
    });
  }

  private async move(id: string, change: (tx: FleetTransaction, session: Session) => Promise<void>): Promise<void> {
    await this.store.transact(async (tx) => {
      const [session] = await tx.lockSessions([id]);
      if (session) await change(tx, session);
    });
  }
}
