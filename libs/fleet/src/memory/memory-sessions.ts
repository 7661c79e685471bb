import type { DisplaySize } from '#libs/contracts';
import type {
  LiveSession,
  NewSession,
  SessionMove,
  SessionOwnership,
  SessionRequest,
  SessionRequestKey,
} from '../fleet-transaction.js';
import type { Session } from '../session.entity.js';
import { assertReferred, referToSession } from './foreign-keys.js';
import { lockModes } from './lock-table.js';
import { ConstraintViolation } from './memory-errors.js';
import type { SessionRequestRow } from './memory-rows.js';
import type { TableView } from './memory-table.js';
import type { MemoryTransaction } from './memory-transaction.js';
import { isLive, newSession } from './new-session.js';
import { putUnique } from './put-unique.js';
import { byQueueOrder } from './queue-order.js';

/** The statements on sessions of one transaction. */
export class MemorySessions {
  constructor(private readonly tx: MemoryTransaction) {}

  async add(sessions: readonly NewSession[]): Promise<LiveSession[]> {
    const added: LiveSession[] = [];
    for (const session of sessions) {
      const id = await this.addOne(session);
      if (id !== null) added.push({ id, username: session.username, poolId: session.poolId });
    }
    return added;
  }

  private async addOne(session: NewSession): Promise<string | null> {
    const { tx } = this;
    const { fleet } = tx;
    const row = newSession(fleet.newId(), session, tx.now, fleet.clock.now());
    if (tx.sessions.get(row.id)) throw new ConstraintViolation('sessions_pkey');
    assertReferred(tx, 'sessions_pool_id_fkey', fleet.pools, session.poolId);
    const matches = (other: Session) => isLiveOf(other, session.username, session.poolId);
    if (!fleet.enforces('one-live-session')) tx.sessions.put(row);
    else if (!(await putUnique(tx, { row, matches, viewOf: (any) => any.sessions }))) return null;
    tx.recordSessionEvent(row.id, null, 'pending', null);
    return row.id;
  }

  live(owners: readonly SessionOwnership[]): LiveSession[] {
    return owners.flatMap(({ username, poolId }) => {
      const [session] = this.tx.sessions.filter((row) => isLiveOf(row, username, poolId));
      return session ? [{ id: session.id, username, poolId }] : [];
    });
  }

  async lock(ids: readonly string[]): Promise<Session[]> {
    const { tx } = this;
    const found = ids.flatMap((id) => tx.sessions.get(id) ?? []).sort(byQueueOrder);
    const locked: Session[] = [];
    for (const { id } of found) {
      await tx.lockRow(tx.fleet.locks.sessions, id);
      locked.push(copy(tx.sessions.get(id) as Session));
    }
    return locked;
  }

  async lockWaiting(poolId: string, limit: number, who: 'all' | 'returning'): Promise<Session[]> {
    const { tx } = this;
    const isWanted = (session: Session) => isWaiting(session, poolId) && (who === 'all' || session.state !== 'pending');
    const locked: Session[] = [];
    for (const { id } of tx.sessions.filter(isWanted).sort(byQueueOrder)) {
      if (locked.length >= limit) break;
      await tx.lockRow(tx.fleet.locks.sessions, id);
      const newest = tx.sessions.get(id) as Session;
      if (isWanted(newest)) locked.push(copy(newest));
    }
    return locked;
  }

  queue(poolId: string, limit: number): Pick<Session, 'id' | 'username'>[] {
    const waiting = this.tx.sessions.filter((session) => isWaiting(session, poolId)).sort(byQueueOrder);
    return waiting.slice(0, limit).map(({ id, username }) => ({ id, username }));
  }

  /** @returns how many were in the first state of their path */
  async move(moves: readonly SessionMove[]): Promise<number> {
    const { tx } = this;
    const moved = new Set<string>();
    for (const move of moves) {
      const seen = tx.sessions.get(move.id);
      if (seen && !moved.has(move.id) && this.mayMove(seen, move)) {
        await tx.lockRow(tx.fleet.locks.sessions, move.id, lockModes.noKeyUpdate);
        const newest = tx.sessions.get(move.id) as Session;
        if (this.mayMove(newest, move)) {
          tx.sessions.put(this.moved(newest, move));
          moved.add(move.id);
        }
      }
    }
    for (const { id, path, reason } of moves)
      for (let index = 1; index < path.length; index += 1)
        tx.recordSessionEvent(id, path[index - 1] ?? null, path[index] as Session['state'], reason ?? null);
    return moved.size;
  }

  async setDisplay(id: string, { width, height }: DisplaySize): Promise<void> {
    const { tx } = this;
    if (!tx.sessions.get(id)) return;
    await tx.lockRow(tx.fleet.locks.sessions, id, lockModes.noKeyUpdate);
    tx.sessions.put({ ...(tx.sessions.get(id) as Session), displayWidth: width, displayHeight: height });
  }

  requests(keys: readonly SessionRequestKey[]): SessionRequest[] {
    return keys.flatMap(({ username, key }) => {
      const request = this.tx.requests.get(requestId(username, key));
      return request ? [{ username, key, sessionId: request.sessionId, poolId: request.poolId }] : [];
    });
  }

  async addRequests(requests: readonly SessionRequest[]): Promise<number> {
    let added = 0;
    for (const request of requests) if (await this.addRequest(request)) added += 1;
    return added;
  }

  private async addRequest(request: SessionRequest): Promise<boolean> {
    const { tx } = this;
    const id = requestId(request.username, request.key);
    const row: SessionRequestRow = { ...request, id };
    const matches = (other: SessionRequestRow) => other.id === id;
    const isTaken = (view: TableView<SessionRequestRow>) => view.get(id) !== undefined;
    if (!tx.fleet.enforces('one-session-per-request')) tx.requests.put(row);
    else if (!(await putUnique(tx, { row, matches, isTaken, viewOf: (any) => any.requests }))) return false;
    await referToSession(tx, 'session_requests_session_id_fkey', request.sessionId);
    assertReferred(tx, 'session_requests_pool_id_fkey', tx.fleet.pools, request.poolId);
    return true;
  }

  private mayMove(session: Session, { path }: SessionMove): boolean {
    return session.state === path[0] || !this.tx.fleet.enforces('moves-check-state');
  }

  private moved(row: Session, { path, phases, queue, preparingReason, failure }: SessionMove): Session {
    let { waitingSince } = row;
    if (queue === 'join') waitingSince = this.tx.fleet.clock.now();
    if (queue === 'leave') waitingSince = null;
    return {
      ...row,
      state: path[path.length - 1] as Session['state'],
      stateChangedAt: path.length > 1 ? this.tx.now : row.stateChangedAt,
      waitingSince,
      phases: phases ? [...phases] : row.phases,
      preparingReason: preparingReason ?? row.preparingReason,
      failure: failure ?? row.failure,
    };
  }
}

const requestId = (username: string, key: string) => `${username}\0${key}`;
const isWaiting = (session: Session, poolId: string) => session.waitingSince !== null && session.poolId === poolId;
const isLiveOf = (session: Session, username: string, poolId: string) =>
  session.username === username && session.poolId === poolId && isLive(session);
const copy = (session: Session): Session => ({ ...session, phases: [...session.phases] });
