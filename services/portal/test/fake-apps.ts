import type { MyApp, SessionApp } from '#libs/contracts';
import { json, problem } from './fake-answers.js';
import { answerIcon } from './fake-icons.js';
import type { Route } from './fake-route.js';
import type { FakeSessions } from './fake-sessions.js';

/** The applications of the person who is signed in. */
export class FakeApps {
  mine: MyApp[] = [];
  /** Named in requests for desktops. */
  readonly wanted: string[] = [];
  /** Started in a session. */
  readonly started: string[] = [];
  /** How the next start of an application is refused. */
  startProblem: { status: number; code: string } | null = null;
  unavailable = false;
  reads = 0;

  constructor(private readonly sessions: Pick<FakeSessions, 'find' | 'changeApp'>) {}

  clear(): void {
    this.mine = [];
    this.wanted.length = this.started.length = this.reads = 0;
    this.startProblem = null;
    this.unavailable = false;
  }

  readonly routes: readonly Route[] = [
    [
      /^GET \/me\/apps$/,
      ({ response }) => {
        this.reads += 1;
        if (this.unavailable) problem(response, 503, 'unavailable');
        else json(response, 200, this.mine);
      },
    ],
    [
      /^(PUT|DELETE) \/me\/apps\/([^/]+)\/pin$/,
      ({ response, id, second }) => {
        this.mine = this.mine.map((app) => (app.name === second ? { ...app, pinned: id === 'PUT' } : app));
        json(response, 204);
      },
    ],
    [
      /^POST \/sessions\/([^/]+)\/apps\/([^/]+)\/start$/,
      ({ response, id, second }) => {
        if (this.startProblem) problem(response, this.startProblem.status, this.startProblem.code);
        else {
          const session = this.sessions.find(id);
          if (!session) {
            problem(response, 404, 'not-found');
            return;
          }
          this.started.push(second);
          const failed = session.view.apps.some((app) => app.name === second && app.state === 'failed');
          if (failed) this.sessions.changeApp(second, { state: 'waiting', reason: null });
          json(response, 202, session.view);
        }
      },
    ],
    [/^GET \/apps\/([^/]+)\/icon$/, ({ response, id }) => answerIcon(response, id)],
  ];
}

export function myApp(name: string, displayName: string, more: Partial<MyApp> = {}): MyApp {
  return {
    name,
    displayName,
    description: '',
    iconUrl: `/api/v1/apps/${name}/icon`,
    mode: 'at-logon',
    kind: 'assigned',
    pinned: false,
    pools: ['call-center'],
    ...more,
  };
}

export function sessionApp(name: string, displayName: string, more: Partial<SessionApp> = {}): SessionApp {
  return { name, displayName, version: 1, label: '1.0', mode: 'at-logon', state: 'ready', reason: null, ...more };
}
