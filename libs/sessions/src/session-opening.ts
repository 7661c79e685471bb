import { Injectable } from '@nestjs/common';
import type { DisplaySize } from '#libs/contracts';
import { FleetStore, type FleetTransaction, type NewSession, type Pool, type SessionRequest } from '#libs/fleet';
import { Batcher, DomainError, errors } from '#libs/kernel';
import type { Logon } from '#libs/profiles';
import { currentCorrelationId } from '#libs/telemetry';
import { SessionMoves } from './session-moves.js';

export interface Opening extends Omit<NewSession, 'poolId'> {
  readonly roles: readonly string[];
  readonly pool: Pool;
  readonly key: string | undefined;
  readonly display: DisplaySize | undefined;
}

const ownership = ({ username, poolId }: { username: string; poolId: string }) => `${poolId} ${username}`;
const requestName = ({ username, key }: { username: string; key: string }) => `${key} ${username}`;

/** Finds or adds the sessions that people ask for; those who ask at the same moment share a transaction. */
@Injectable()
export class SessionOpening {
  private readonly batches = new Batcher((openings: readonly Opening[]) => this.openAll(openings));

  constructor(
    private readonly store: FleetStore,
    private readonly moves: SessionMoves,
  ) {}

  /**
   * @returns id of the user's live session with the pool, or of the one that this key was used for before
   * @throws DomainError `idempotency-key-reused` when that one is of another pool
   */
  async open(opening: Opening): Promise<string> {
    const outcome = await this.batches.add({ ...opening, correlationId: currentCorrelationId() });
    if (outcome instanceof DomainError) throw outcome;
    return outcome;
  }

  private async openAll(openings: readonly Opening[]): Promise<readonly (string | DomainError)[]> {
    for (;;) {
      const outcomes = await this.tryToOpenAll(openings).catch((error: unknown) => {
        if (error instanceof RequestRaced) return undefined;
        throw error;
      });
      // Then the request of the other is there to be found.
      if (outcomes) return outcomes;
    }
  }

  private tryToOpenAll(openings: readonly Opening[]): Promise<(string | DomainError)[]> {
    return this.store.transact(async (tx) => {
      const repeated = await this.repeated(tx, openings);
      const fresh = openings.filter((opening) => !repeated.has(opening));
      const sessions = await this.sessionsOf(tx, fresh);
      const sessionId = (opening: Opening) =>
        sessions.get(ownership({ username: opening.username, poolId: opening.pool.id })) as string;
      await this.remember(tx, fresh, sessionId);
      return openings.map((opening) => repeated.get(opening) ?? sessionId(opening));
    });
  }

  private async repeated(tx: FleetTransaction, openings: readonly Opening[]) {
    const repeated = new Map<Opening, string | DomainError>();
    const keyed = openings.flatMap(({ username, key }) => (key === undefined ? [] : [{ username, key }]));
    if (keyed.length === 0) return repeated;
    const requests = new Map((await tx.sessionRequests(keyed)).map((request) => [requestName(request), request]));
    for (const opening of openings) {
      const { username, key, pool } = opening;
      const request = key === undefined ? undefined : requests.get(requestName({ username, key }));
      if (!request) continue;
      const isOfPool = request.poolId === pool.id;
      repeated.set(opening, isOfPool ? request.sessionId : new DomainError(errors.idempotencyKeyReused));
    }
    return repeated;
  }

  /** Ids of live sessions, by owner and pool: added where there was none. */
  private async sessionsOf(tx: FleetTransaction, openings: readonly Opening[]): Promise<ReadonlyMap<string, string>> {
    const ids = new Map<string, string>();
    const logons: Logon[] = [];
    const roles = new Map(openings.map((opening) => [opening.username, opening.roles]));
    let wanted = new Map<string, NewSession>();
    for (const { pool, key: _, roles: __, ...opening } of openings) {
      const session = { ...opening, poolId: pool.id };
      if (!wanted.has(ownership(session))) wanted.set(ownership(session), session);
    }
    // One that was live ended between the two statements: then there is room for a new one.
    while (wanted.size > 0) {
      const added = await tx.addSessions([...wanted.values()]);
      this.moves.announce(
        tx,
        added.map(({ id }) => id),
      );
      for (const session of added) {
        ids.set(ownership(session), session.id);
        const { id: sessionId, username } = session;
        logons.push({ sessionId, username, roles: roles.get(username) ?? [] });
      }
      wanted = new Map([...wanted].filter(([name]) => !ids.has(name)));
      const live = wanted.size === 0 ? [] : await tx.liveSessions([...wanted.values()]);
      for (const session of live) ids.set(ownership(session), session.id);
      wanted = new Map([...wanted].filter(([name]) => !ids.has(name)));
    }
    if (logons.length > 0) await tx.recordLogons(logons);
    return ids;
  }

  /** @throws RequestRaced when one of the keys was used by another broker, or for another pool, at the same moment */
  private async remember(tx: FleetTransaction, openings: readonly Opening[], sessionId: (opening: Opening) => string) {
    const requests = new Map<string, SessionRequest>();
    for (const opening of openings) {
      const { username, key, pool } = opening;
      if (key === undefined) continue;
      const request = { username, key, poolId: pool.id, sessionId: sessionId(opening) };
      const same = requests.get(requestName(request));
      if (same && same.sessionId !== request.sessionId) throw new DomainError(errors.idempotencyKeyReused);
      requests.set(requestName(request), request);
    }
    if (requests.size === 0) return;
    const added = await tx.addSessionRequests([...requests.values()]);
    if (added < requests.size) throw new RequestRaced();
  }
}

class RequestRaced extends Error {}
