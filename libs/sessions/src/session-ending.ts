import { Injectable } from '@nestjs/common';
import type { ProfileOutcome, SessionEndReason } from '#libs/contracts';
import { DesktopLifecycle } from '#libs/desktops';
import { FleetStore, type FleetTransaction, LIVE, type Session } from '#libs/fleet';
import { Batcher, DomainError, errors } from '#libs/kernel';
import { currentCorrelationId } from '#libs/telemetry';
import { SessionMoves } from './session-moves.js';

interface Ending {
  readonly id: string;
  readonly reason: SessionEndReason;
  /** What the person wants of their profile, where the pool asks; it is kept unless told. */
  readonly profile?: ProfileOutcome | undefined;
  /** Only a session of this user; of anybody when absent. */
  readonly username?: string;
  readonly correlationId?: string | undefined;
}

/** Ends sessions and destroys their desktops; those that end at the same moment share a transaction. */
@Injectable()
export class SessionEnding {
  private readonly batches = new Batcher((endings: readonly Ending[]) => this.endAll(endings));

  constructor(
    private readonly store: FleetStore,
    private readonly lifecycle: DesktopLifecycle,
    private readonly moves: SessionMoves,
  ) {}

  /**
   * @returns false when there is no such session of that user; true also when it had ended before
   * @throws DomainError `forbidden` when what becomes of the profile is not the person's choice; the session goes on
   */
  async end(ending: Omit<Ending, 'correlationId'>): Promise<boolean> {
    const outcome = await this.batches.add({ ...ending, correlationId: currentCorrelationId() });
    if (outcome instanceof DomainError) throw outcome;
    return outcome;
  }

  private endAll(endings: readonly Ending[]): Promise<(boolean | DomainError)[]> {
    return this.store.transact(async (tx) => {
      const ids = [...new Set(endings.map(({ id }) => id))];
      const sessions = new Map((await tx.lockSessions(ids)).map((session) => [session.id, session]));
      const ended = new Map<Session, Ending>();
      for (const ending of endings) {
        const session = sessions.get(ending.id);
        if (session && isOwn(session, ending) && mayEnd(session, ending) && !ended.has(session)) {
          ended.set(session, ending);
        }
      }
      const refused = await this.chooseOutcomes(tx, [...ended.values()]);
      for (const session of ended.keys()) if (refused.has(session.id)) ended.delete(session);
      const desktops = ended.size === 0 ? [] : await tx.assignedDesktops([...ended.keys()].map(({ id }) => id));
      const desktopOf = new Map(desktops.map((desktop) => [desktop.sessionId, desktop]));
      const endingOf = new Map([...ended].map(([{ id }, ending]) => [id, ending]));
      await this.lifecycle.recycleAll(
        tx,
        desktops.flatMap((desktop) => {
          const ending = endingOf.get(desktop.sessionId ?? '');
          return ending ? [{ desktop, reason: ending.reason, correlationId: ending.correlationId }] : [];
        }),
      );
      await tx.moveSessions(
        [...ended].map(([{ id, state }, { reason, correlationId }]) => ({
          ...{ id, path: [state, 'ending', 'ended'] as const, queue: 'leave' as const, reason, correlationId },
        })),
      );
      await tx.audit(
        [...ended].map(([session, { reason, profile, correlationId }]) => ({
          action: actionOf[reason],
          actor: reason === 'expired' ? 'system' : session.username,
          subject: `session:${session.id}`,
          correlationId,
          details: { desktop: desktopOf.get(session.id)?.id ?? null, ...(profile ? { profile } : {}) },
        })),
      );
      this.moves.announce(
        tx,
        [...ended.keys()].map(({ id }) => id),
      );
      return endings.map((ending) => {
        const session = sessions.get(ending.id);
        if (session === undefined || !isOwn(session, ending)) return false;
        return refused.has(session.id) && ending.profile !== undefined ? notTheirChoice() : true;
      });
    });
  }

  /** @returns ids of the sessions that were asked to end in a way that their pool does not let */
  private async chooseOutcomes(tx: FleetTransaction, endings: readonly Ending[]): Promise<ReadonlySet<string>> {
    const choices = endings.flatMap(({ id, profile }) =>
      profile === undefined ? [] : [{ sessionId: id, outcome: profile }],
    );
    return choices.length === 0 ? new Set() : tx.chooseProfileOutcomes(choices);
  }
}

const isOwn = (session: Session, { username }: Ending) => username === undefined || session.username === username;

/** Somebody who has come back meanwhile is not thrown out. */
const mayEnd = ({ state }: Session, { reason }: Ending) =>
  reason === 'expired' ? state === 'ready' || state === 'disconnected' : LIVE.includes(state);

const actionOf = { 'log-off': 'log-off', expired: 'session-expired', roamed: 'session-roamed' } as const;

const notTheirChoice = () =>
  new DomainError(errors.forbidden, 'What becomes of the profile in this pool is not yours to choose');
