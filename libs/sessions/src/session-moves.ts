import { Inject, Injectable } from '@nestjs/common';
import { type BusSink, MessageBus } from '#libs/bus';
import type { SessionState } from '#libs/contracts';
import { FleetStore, type FleetTransaction, type Session, type SessionMove } from '#libs/fleet';

type Path = readonly SessionState[];
type Change = Omit<SessionMove, 'id' | 'path'>;

/** Moves locked sessions and tells the other services after the commit. */
@Injectable()
export class SessionMoves {
  private readonly announced = new WeakMap<FleetTransaction, Set<string>>();

  constructor(
    private readonly store: FleetStore,
    @Inject(MessageBus) private readonly bus: BusSink,
  ) {}

  /** @param path the states it goes through, the last to stay; none: it stays where it is. @throws Error when the row is not in the state that it was read in */
  async move(tx: FleetTransaction, session: Session, path: Path, change: Change = {}): Promise<void> {
    await tx.moveSessions([{ ...change, id: session.id, path: [session.state, ...path] }]);
    session.state = path.at(-1) ?? session.state;
    this.announce(tx, [session.id]);
  }

  /** Tells the other services after the commit what these sessions and their desktops are then; once for each. */
  announce(tx: FleetTransaction, sessionIds: readonly string[]): void {
    let announced = this.announced.get(tx);
    if (!announced) {
      announced = new Set();
      this.announced.set(tx, announced);
      const ids = announced;
      tx.afterCommit(() => this.tell([...ids]));
    }
    for (const id of sessionIds) announced.add(id);
  }

  /** Tells the other services what these sessions and their desktops are now. */
  async tell(sessionIds: readonly string[]): Promise<void> {
    if (sessionIds.length === 0) return;
    const sessions = await this.store.sessionsNow(sessionIds);
    await Promise.all(
      sessions.map(({ id: sessionId, ...session }) => this.bus.publish({ type: 'session', sessionId, ...session })),
    );
  }
}
