import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { MessageBus } from '#libs/bus';
import type { BusMessage } from '#libs/contracts';
import { ApiSessionService } from '#libs/identity';
import { LOGGER, type Logger } from '#libs/telemetry';
import { EventReader } from './event-reader.js';
import { closeCodes, type Subscriber } from './subscriber.js';

/** Many desktops change together: one reading of the pools for all changes of this time. */
const poolsDelayMs = 50;
const heartbeatMs = 20_000;
/** Messages can be lost and sign-ins expire without one, so both are looked at again this often. */
const recheckMs = 10_000;
/** Open tabs of one person; the one more closes the oldest. */
const maxPerPerson = 32;

/** Turns messages of the bus into readings for those whom they concern. */
@Injectable()
export class EventFeed implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly subscribers = new Set<Subscriber>();
  private readonly timers: NodeJS.Timeout[] = [];
  private poolsTimer: NodeJS.Timeout | undefined;
  private unsubscribe: (() => void) | undefined;

  constructor(
    private readonly bus: MessageBus,
    private readonly reader: EventReader,
    private readonly apiSessions: ApiSessionService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.unsubscribe = this.bus.subscribe((message) => this.take(message));
    this.timers.push(
      setInterval(() => this.toAll((subscriber) => subscriber.heartbeat()), heartbeatMs),
      setInterval(() => this.toAll((subscriber) => void this.lookAgain(subscriber)), recheckMs),
    );
    for (const timer of this.timers) timer.unref();
  }

  onApplicationShutdown(): void {
    this.unsubscribe?.();
    for (const timer of this.timers) clearInterval(timer);
    clearTimeout(this.poolsTimer);
    this.toAll((subscriber) => subscriber.close(closeCodes.stopping, 'stopping'));
  }

  /** Greets the subscriber, sends a snapshot and from then on every change, until its socket closes. */
  add(subscriber: Subscriber): void {
    const others = [...this.subscribers].filter(
      ({ principal }) => principal.username === subscriber.principal.username,
    );
    if (others.length >= maxPerPerson) others[0]?.close(closeCodes.tooMany, 'too many windows');
    this.subscribers.add(subscriber);
    subscriber.socket.once('close', () => this.subscribers.delete(subscriber));
    subscriber.send({ event: 'hello', data: { username: subscriber.principal.username } });
    this.markAll(subscriber);
    // The sign-in may have ended between the check at the upgrade and the subscription.
    void this.isSignedIn(subscriber);
  }

  private take(message: BusMessage): void {
    if (message.type === 'sign-out') {
      this.toAll((subscriber) => {
        if (subscriber.principal.tokenHash === message.tokenHash) subscriber.close(closeCodes.signedOut, 'signed out');
      });
      return;
    }
    if (message.type === 'session') {
      const { sessionId, username, desktopId } = message;
      this.toAll((subscriber) => {
        if (subscriber.principal.username === username) this.markSession(subscriber, sessionId);
      });
      // A logon tells of its session only; that the desktop is assigned now follows from it.
      if (desktopId === null) return;
      this.markDesktop(desktopId);
    }
    if (message.type === 'desktop') this.markDesktop(message.desktopId);
    this.poolsTimer ??= setTimeout(() => this.readPools(), poolsDelayMs);
  }

  private readPools(): void {
    this.poolsTimer = undefined;
    this.reader.forgetPools();
    this.toAll((subscriber) => subscriber.mark('pools', () => this.reader.poolsOf(subscriber.principal)));
  }

  private markAll(subscriber: Subscriber): void {
    subscriber.mark('sessions', () => this.reader.liveSessions(subscriber.principal));
    subscriber.mark('pools', () => this.reader.poolsOf(subscriber.principal));
    if (subscriber.principal.isAdmin) subscriber.mark('desktops', () => this.reader.allDesktops());
  }

  private markSession(subscriber: Subscriber, id: string): void {
    subscriber.mark(`session:${id}`, () => this.reader.session(subscriber.principal, id));
  }

  private markDesktop(id: string): void {
    this.toAll((subscriber) => {
      if (subscriber.principal.isAdmin) subscriber.mark(`desktop:${id}`, () => this.reader.desktop(id));
    });
  }

  private async lookAgain(subscriber: Subscriber): Promise<void> {
    if (!(await this.isSignedIn(subscriber))) return;
    this.markAll(subscriber);
    for (const id of subscriber.openSessions) this.markSession(subscriber, id);
  }

  /** Closes the subscriber when its sign-in is over. */
  private async isSignedIn(subscriber: Subscriber): Promise<boolean> {
    try {
      const principal = await this.apiSessions.authenticateHash(subscriber.principal.tokenHash);
      if (principal) {
        // Roles may have changed meanwhile.
        subscriber.principal = principal;
        return true;
      }
    } catch (error) {
      // A database that is away says nothing about the sign-in: ask again at the next turn.
      this.logger.warn({ err: error }, 'sign-in of an events client could not be checked');
      return false;
    }
    subscriber.close(closeCodes.signedOut, 'signed out');
    return false;
  }

  private toAll(visit: (subscriber: Subscriber) => void): void {
    for (const subscriber of this.subscribers) visit(subscriber);
  }
}
