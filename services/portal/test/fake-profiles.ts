import type { ProfileLimitView, ProfileVersionView, ProfileVolumeView } from '#libs/contracts';
import { putProfileLimitSchema } from '#libs/contracts';
import { json, problem } from './fake-answers.js';
import type { Call, Route } from './fake-route.js';

/** Alice's profiles, as she sees them herself and as IT does. */
export class FakeProfiles {
  volumes: ProfileVolumeView[] = [];
  /** Of every volume the same. */
  versions: ProfileVersionView[] = [];
  limits: ProfileLimitView[] = [];
  /** Method and path of every change. */
  readonly changes: string[] = [];
  /** How the next restoration is refused. */
  refusal: { status: number; code: string; detail: string } | null = null;
  private restoring: number | null = null;

  /** @param isAdmitted whether the person who is signed in is of IT */
  constructor(private readonly isAdmitted: () => boolean) {}

  clear(): void {
    this.volumes = [];
    this.versions = [];
    this.limits = [];
    this.changes.length = 0;
    this.refusal = null;
    this.restoring = null;
  }

  readonly routes: readonly Route[] = [
    [/^GET \/me\/profile\/volumes$/, ({ response }) => json(response, 200, this.volumes)],
    [/^GET \/me\/profile\/volumes\/([^/]+)\/versions$/, ({ response }) => json(response, 200, this.versions)],
    [/^POST \/me\/profile\/volumes\/([^/]+)\/versions\/(\d+)\/restore$/, (call) => this.restore(call)],
    [/^GET \/profiles\/limits$/, (call) => this.forIt(call, () => json(call.response, 200, this.limits))],
    [/^(PUT|DELETE) \/profiles\/limits\/([^/]+)$/, (call) => this.forIt(call, () => this.setLimit(call))],
    [/^GET \/profiles\/alice\/volumes$/, (call) => this.forIt(call, () => json(call.response, 200, this.volumes))],
    [/^GET \/profiles\/[^/]+\/volumes$/, (call) => this.forIt(call, () => json(call.response, 200, []))],
    [
      /^GET \/profiles\/alice\/volumes\/([^/]+)\/versions$/,
      (call) => this.forIt(call, () => json(call.response, 200, this.versions)),
    ],
    [
      /^POST \/profiles\/alice\/volumes\/([^/]+)\/versions\/(\d+)\/restore$/,
      (call) => this.forIt(call, () => this.restore(call)),
    ],
    [
      /^DELETE \/profiles\/alice\/volumes\/([^/]+)$/,
      (call) =>
        this.forIt(call, () => {
          this.changes.push(`DELETE ${call.id}`);
          this.volumes = this.volumes.filter((volume) => volume.context !== call.id);
          json(call.response, 204);
        }),
    ],
  ];

  /** As the provisioner does some seconds after it was asked for. */
  finishRestore({ reason = 'restored' }: Pick<Partial<ProfileVersionView>, 'reason'> = {}): void {
    const from = this.restoring;
    const newest = Math.max(...this.versions.map((version) => version.number)) + 1;
    this.restoring = null;
    this.versions = [
      version(newest, { reason, restoredFrom: from, isNewest: true, writtenBytes: 0 }),
      ...this.versions.map((each) => ({ ...each, isNewest: false })),
    ];
    this.volumes = this.volumes.map((volume) => ({ ...volume, newest, versions: volume.versions + 1 }));
  }

  private restore({ request, response, second }: Call): void {
    const { refusal } = this;
    if (refusal) {
      problem(response, refusal.status, refusal.code, { detail: refusal.detail });
      return;
    }
    this.restoring = Number(second);
    this.changes.push(`${request.method} ${request.url?.replace('/api/v1', '')}`);
    json(response, 202);
  }

  private setLimit({ response, id: method, second, body }: Call): void {
    const role = decodeURIComponent(second);
    const others = this.limits.filter((limit) => limit.role !== role);
    const limit = method === 'PUT' ? { role, ...putProfileLimitSchema.parse(body) } : null;
    this.changes.push(`${method} ${role} ${limit?.sizeMiB ?? 'default'}`);
    this.limits = limit ? [...others, limit] : others;
    json(response, limit ? 200 : 204, limit ?? undefined);
  }

  private forIt({ response }: Call, answer: () => void): void {
    if (this.isAdmitted()) answer();
    else problem(response, 403, 'forbidden');
  }
}

export const version = (number: number, more: Partial<ProfileVersionView> = {}): ProfileVersionView => ({
  number,
  parent: number - 1,
  restoredFrom: null,
  reason: 'write-back',
  state: 'good',
  isNewest: false,
  isClean: false,
  sizeBytes: 10_737_418_240,
  writtenBytes: 2_400_000,
  host: 'host-a',
  desktopId: null,
  damage: null,
  createdAt: '2026-11-20T14:05:00Z',
  ...more,
});

export const volume = (context: string, more: Partial<ProfileVolumeView> = {}): ProfileVolumeView => ({
  context,
  sizeMiB: 10_240,
  newest: 12,
  savedAt: '2026-11-20T16:58:00Z',
  versions: 11,
  damaged: 1,
  storedBytes: 412_000_000,
  heldBy: null,
  userMayRestore: true,
  createdAt: '2026-11-02T08:00:00Z',
  ...more,
});

/** Twelve versions, as two weeks leave them. */
export const versions = (): ProfileVersionView[] => [
  version(12, { reason: 'log-off', isNewest: true, isClean: true, createdAt: '2026-11-20T16:58:00Z' }),
  version(11, { createdAt: '2026-11-20T16:55:00Z' }),
  version(10, { createdAt: '2026-11-20T16:50:00Z', writtenBytes: 196_000 }),
  version(9, { reason: 'disconnect', createdAt: '2026-11-20T12:01:00Z' }),
  version(8, {
    reason: 'restored',
    restoredFrom: 5,
    isClean: true,
    createdAt: '2026-11-20T08:02:00Z',
    writtenBytes: 0,
  }),
  version(7, { state: 'damaged', damage: 'chunk 4 of 160 is missing', createdAt: '2026-11-19T16:40:00Z' }),
  version(6, { reason: 'roamed', isClean: true, createdAt: '2026-11-19T10:12:00Z', host: 'host-b' }),
  version(5, { reason: 'log-off', isClean: true, createdAt: '2026-11-18T16:58:00Z' }),
  version(4, { reason: 'recycle', isClean: true, createdAt: '2026-11-17T16:58:00Z' }),
  version(3, { reason: 'log-off', isClean: true, createdAt: '2026-11-16T16:58:00Z' }),
  version(2, { reason: 'log-off', isClean: true, createdAt: '2026-11-09T16:58:00Z' }),
  version(1, { reason: 'first', isClean: true, createdAt: '2026-11-02T08:00:00Z', writtenBytes: 1_100_000 }),
];
