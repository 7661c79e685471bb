import { ConnectionLost, type Session } from '#libs/fleet';
import { DomainError, errors } from '#libs/kernel';
import type { Random } from '../engine/random.js';
import type { Scheduler } from '../engine/scheduler.js';
import { InjectedFault } from '../faults/injected-fault.js';
import { Violation } from '../invariants/violation.js';
import type { Domain } from '../nodes/domain.js';
import type { Tally } from '../report/tally.js';
import type { DataCentre } from './data-centre.js';
import type { Gateway } from './gateway.js';

/** A browser gives a call up after this time and tries again. */
const CALL_TIMEOUT_MS = 15_000;

const owner = (username: string) => ({ username, roles: ['staff'] });

/** One person with a browser or two: clicks, waits, works, goes away, comes back. */
export class Person {
  /** Sessions that a broker has confirmed, by the key of the request. */
  private readonly answers = new Map<string, string>();

  constructor(
    readonly username: string,
    private readonly centre: DataCentre,
    private readonly gateway: Gateway,
    private readonly scheduler: Scheduler,
    private readonly random: Random,
    private readonly tally: Tally,
  ) {}

  /** Does one thing after another until `isOver`. */
  async live(thinkTimeMs: number, isOver: () => boolean): Promise<void> {
    for (;;) {
      await this.scheduler.sleep(null, this.random.waitFor(thinkTimeMs), `${this.username} acts`);
      if (isOver()) return;
      await this.act();
    }
  }

  /** Logs off everywhere, as often as it takes. */
  async leave(): Promise<void> {
    for (let session = this.anySession(); session; session = this.anySession()) {
      await this.logOff(session.id);
      await this.scheduler.sleep(null, 2_000, `${this.username} sees`);
    }
  }

  private async act(): Promise<void> {
    const session = this.anySession();
    const choice = this.random.next();
    if (!session || choice < 0.15) return this.open();
    if (choice < 0.4) return this.gateway.connect(this.username, session.id);
    if (choice < 0.5) return this.gateway.disconnect(session.id);
    if (choice < 0.7) return this.recycle(session);
    if (choice < 0.92) return this.logOff(session.id);
    this.tally.count('goes away for long');
    await this.scheduler.sleep(null, this.random.between(30_000, 120_000), `${this.username} comes back`);
  }

  /** Clicks on a pool: once, twice at the same time, or in two windows that are served by two brokers. */
  private async open(): Promise<void> {
    const pool = this.random.pick([...this.centre.fleet.pools.values()]);
    const key = this.random.chance(0.6) ? this.random.uuid() : undefined;
    const clicks = this.random.pick([1, 1, 2, 3]);
    const keys = Array.from({ length: clicks }, () => (this.random.chance(0.7) ? key : undefined));
    if (clicks > 1) this.tally.count('clicks at the same time', clicks);
    await Promise.all(keys.map((each) => this.openOnce(pool.name, each)));
  }

  private async openOnce(pool: string, idempotencyKey: string | undefined): Promise<void> {
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const answer = await this.call('open', ({ sessions }) => {
        const request = { pool, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) };
        return sessions.open(owner(this.username), request);
      });
      if (answer) return this.expectSame(idempotencyKey, answer.id);
    }
  }

  private async recycle(session: Session): Promise<void> {
    const clicks = this.random.chance(0.3) ? 2 : 1;
    const click = () => this.call('recycle', ({ sessions }) => sessions.recycle(owner(this.username), session.id));
    await Promise.all(Array.from({ length: clicks }, click));
  }

  private async logOff(sessionId: string): Promise<void> {
    this.centre.inspector.ends.logOffAsked(sessionId);
    await this.call('log off', ({ sessions }) => sessions.logOff(owner(this.username), sessionId));
  }

  private expectSame(key: string | undefined, sessionId: string): void {
    if (!this.centre.fleet.sessions.rows.has(sessionId)) {
      this.scheduler.fail(new Violation('no session lost', `${this.username} was promised ${sessionId}`));
    }
    if (key === undefined) return;
    const known = this.answers.get(key);
    if (known !== undefined && known !== sessionId) {
      this.scheduler.fail(new Violation('one session per request', `${key} gave ${known} and ${sessionId}`));
    }
    this.answers.set(key, sessionId);
  }

  /** Asks some broker; undefined when no answer came or the answer was an error that the simulation made. */
  private async call<T>(what: string, request: (domain: Domain) => Promise<T>): Promise<T | undefined> {
    const broker = this.random.pick(this.centre.brokers);
    const domain = this.centre.serviceOf(broker);
    this.scheduler.note(this.username, `${what} at ${broker.name}${domain ? '' : ' (down)'}`);
    if (!domain) return undefined;
    const answer = request(domain).catch((error: unknown) => this.refused(what, error));
    let timer = { isCancelled: false };
    const late = new Promise<undefined>((resolve) => {
      timer = this.scheduler.after(null, CALL_TIMEOUT_MS, `${this.username} waits no longer`, () => {
        this.tally.count('call given up');
        resolve(undefined);
      });
    });
    const result = await Promise.race([answer, late]);
    timer.isCancelled = true;
    return result;
  }

  /** Nobody is refused, but for the faults made here and for what is not possible in the state of the session. */
  private refused(what: string, error: unknown): undefined {
    this.tally.count(`refused ${what}: ${error instanceof Error ? error.name : 'unknown'}`);
    if (error instanceof InjectedFault || error instanceof ConnectionLost) return;
    if (what === 'recycle' && DomainError.is(error, errors.conflict)) return;
    this.scheduler.fail(new Violation('nobody is refused', `${this.username}: ${what}: ${String(error)}`));
  }

  private anySession(): Session | undefined {
    const isMine = (session: Session) =>
      session.username === this.username && session.state !== 'ended' && session.state !== 'failed';
    const mine = [...this.centre.fleet.sessions.hot.values()].filter(isMine);
    return mine.length === 0 ? undefined : this.random.pick(mine);
  }
}
