import {
  type AppView,
  assignAppSchema,
  type ImageView,
  type ProfileView,
  type UpdateAppVersion,
  updateAppVersionSchema,
} from '#libs/contracts';
import { json, problem } from './fake-answers.js';
import type { Call, Route } from './fake-route.js';

/** What the broker does for IT. */
export class FakeConsole {
  /** The person who is signed in is of IT. */
  admitted = false;
  apps: AppView[] = [];
  profiles: ProfileView[] = [];
  images: ImageView[] = [];
  /** Method, path and body of every change. */
  readonly changes: { route: string; body: unknown }[] = [];
  /** How the next changes are refused. */
  refusal: { status: number; code: string; detail: string } | null = null;

  clear(): void {
    this.admitted = false;
    this.apps = [];
    this.profiles = [];
    this.images = [];
    this.changes.length = 0;
    this.refusal = null;
  }

  readonly routes: readonly Route[] = [
    [/^GET \/apps$/, (call) => this.read(call, this.apps)],
    [/^GET \/profiles$/, (call) => this.read(call, this.profiles)],
    [/^GET \/images$/, (call) => this.read(call, this.images)],
    [/^GET \/pools$/, (call) => this.read(call, [{ roles: ['call-center'] }, { roles: ['back-office', 'it-admins'] }])],
    [/^PUT \/apps\/([^/]+)\/assignments\/([^/]+)$/, (call) => this.change(call, 204, () => this.assign(call))],
    [
      /^DELETE \/apps\/([^/]+)\/assignments\/([^/]+)$/,
      (call) =>
        this.change(call, 204, () =>
          this.withApp(call.id, (app) => ({
            assignments: app.assignments.filter((each) => each.role !== decodeURIComponent(call.second)),
          })),
        ),
    ],
    [
      /^PATCH \/apps\/([^/]+)\/versions\/(\d+)$/,
      (call) =>
        this.change(call, 200, () => {
          const change: UpdateAppVersion = updateAppVersionSchema.parse(call.body);
          this.withApp(call.id, (app) => ({
            versions: app.versions.map((each) => (each.number === Number(call.second) ? { ...each, ...change } : each)),
          }));
        }),
    ],
    [/^POST \/images\/([^/]+)\/versions\/(\d+)\/publish$/, (call) => this.change(call, 202, () => undefined)],
    [/^POST \/images\/([^/]+)\/versions\/(\d+)\/rollback$/, (call) => this.change(call, 202, () => undefined)],
  ];

  private read({ response }: Call, body: unknown): void {
    if (this.admitted) json(response, 200, body);
    else problem(response, 403, 'forbidden');
  }

  private change({ request, response, body }: Call, status: number, act: () => void): void {
    const { refusal } = this;
    if (!this.admitted) {
      problem(response, 403, 'forbidden');
      return;
    }
    if (refusal) {
      problem(response, refusal.status, refusal.code, { detail: refusal.detail });
      return;
    }
    this.changes.push({ route: `${request.method} ${request.url?.replace('/api/v1', '')}`, body });
    act();
    json(response, status, status === 204 ? undefined : {});
  }

  private assign({ id, second, body }: Call): void {
    const { kind, version, ring, mode } = assignAppSchema.parse(body);
    const role = decodeURIComponent(second);
    this.withApp(id, (app) => ({
      assignments: [
        ...app.assignments.filter((each) => each.role !== role),
        { role, kind, version, ring, mode, serves: 1, createdBy: 'ivan', createdAt: '2026-11-23T09:00:00Z' },
      ],
    }));
  }

  private withApp(name: string, change: (app: AppView) => Partial<AppView>): void {
    this.apps = this.apps.map((app) => (app.name === name ? { ...app, ...change(app) } : app));
  }
}
