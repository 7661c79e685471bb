import {
  type CreateSession,
  type DisplaySize,
  loginResponseSchema,
  type MyApp,
  myAppSchema,
  type PoolSummary,
  type ProfileOutcome,
  type ProfileVersionView,
  type ProfileVolumeView,
  poolSummarySchema,
  profileVersionViewSchema,
  profileVolumeViewSchema,
  type SessionView,
  sessionViewSchema,
  type TicketView,
  ticketViewSchema,
  type UserView,
  userViewSchema,
} from '#libs/contracts';
import { BrokerHttp } from './broker-http.js';
import { VersionLooks } from './version-looks.js';

/** What the broker's HTTP API does for a person. */
export class ApiClient {
  constructor(private readonly http: BrokerHttp = new BrokerHttp()) {}

  async login(username: string, password: string): Promise<UserView> {
    const answer = await this.http.call('/login', loginResponseSchema, {
      method: 'POST',
      body: { username, password },
    });
    // The token is for clients without cookies; the browser has the HttpOnly cookie and keeps nothing else.
    return answer.user;
  }

  logout(): Promise<void> {
    return this.http.callWithoutAnswer('/logout', { method: 'POST' });
  }

  me(): Promise<UserView> {
    return this.http.call('/me', userViewSchema);
  }

  pools(): Promise<PoolSummary[]> {
    return this.http.call('/me/pools', poolSummarySchema.array());
  }

  /** The principal's own live sessions. */
  sessions(): Promise<SessionView[]> {
    return this.http.call('/sessions', sessionViewSchema.array());
  }

  session(id: string): Promise<SessionView> {
    return this.http.call(`/sessions/${id}`, sessionViewSchema);
  }

  /** Asks for a desktop. The same `idempotencyKey` may be sent again after a lost answer. */
  createSession(request: CreateSession, idempotencyKey: string): Promise<SessionView> {
    return this.http.call('/sessions', sessionViewSchema, {
      method: 'POST',
      body: request,
      headers: { 'idempotency-key': idempotencyKey },
    });
  }

  createTicket(sessionId: string): Promise<TicketView> {
    return this.http.call(`/sessions/${sessionId}/tickets`, ticketViewSchema, { method: 'POST' });
  }

  setDisplay(sessionId: string, display: DisplaySize): Promise<void> {
    return this.http.callWithoutAnswer(`/sessions/${sessionId}/display`, { method: 'PUT', body: display });
  }

  recycle(sessionId: string): Promise<void> {
    return this.http.callWithoutAnswer(`/sessions/${sessionId}/recycle`, { method: 'POST' });
  }

  /** @param outcome only where the pool leaves the choice to the person */
  logOff(sessionId: string, outcome?: ProfileOutcome): Promise<void> {
    const query = outcome === undefined ? '' : `?profile=${outcome}`;
    return this.http.callWithoutAnswer(`/sessions/${sessionId}${query}`, { method: 'DELETE' });
  }

  readonly myProfileVolumes = (): Promise<ProfileVolumeView[]> =>
    this.http.call('/me/profile/volumes', profileVolumeViewSchema.array());

  /** Newest first, damaged ones too. */
  myProfileVersions(context: string): Promise<ProfileVersionView[]> {
    return this.http.call(`/me/profile/volumes/${context}/versions`, profileVersionViewSchema.array());
  }

  /** Begins it: it is done within seconds. */
  restoreMyProfile(context: string, number: number): Promise<void> {
    return this.http.callWithoutAnswer(`/me/profile/volumes/${context}/versions/${number}/restore`, { method: 'POST' });
  }

  /** Where a pool of the person's lets them. */
  myVersionLooks(context: string, number: number): VersionLooks {
    return new VersionLooks(this.http, `/me/profile/volumes/${context}`, number);
  }

  /** The applications that the person has or may add. */
  myApps(): Promise<MyApp[]> {
    return this.http.call('/me/apps', myAppSchema.array());
  }

  /** Adds an application of the allowed ones to the person's desktops, or takes it off the next ones. */
  setPinned(app: string, pinned: boolean): Promise<void> {
    return this.http.callWithoutAnswer(`/me/apps/${app}/pin`, { method: pinned ? 'PUT' : 'DELETE' });
  }

  /** Starts an application in the desktop of a live session; one that failed is tried again. */
  startApp(sessionId: string, app: string): Promise<SessionView> {
    return this.http.call(`/sessions/${sessionId}/apps/${app}/start`, sessionViewSchema, { method: 'POST' });
  }
}
