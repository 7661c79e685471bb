import type {
  AppAssignmentView,
  AppVersionView,
  AppView,
  ImageVersionView,
  ImageView,
  ProfileView,
} from '#libs/contracts';

const version = (number: number, label: string, more: Partial<AppVersionView> = {}): AppVersionView => ({
  number,
  label,
  state: 'published',
  ring: 'broad',
  layerBytes: 19_300_000,
  installedBytes: 37_400_000,
  os: { id: 'debian', versionId: '12', architecture: 'x86_64' },
  baseImage: 'demo-desktop',
  volumeId: 'a'.repeat(64),
  keyId: '4f0c62a17be95d30',
  packages: 24,
  failure: null,
  createdBy: 'ivan',
  createdAt: '2026-11-20T14:05:00Z',
  ...more,
});

const assignment = (role: string, more: Partial<AppAssignmentView> = {}): AppAssignmentView => ({
  role,
  kind: 'assigned',
  version: null,
  ring: 'broad',
  mode: 'at-logon',
  serves: 1,
  createdBy: 'ivan',
  createdAt: '2026-11-20T14:20:00Z',
  ...more,
});

/** Three applications as IT sees them. */
export const catalogue = (): AppView[] => [
  {
    name: 'calculator',
    displayName: 'Calculator',
    description: 'Sums at hand while you talk.',
    iconUrl: '/api/v1/apps/calculator/icon',
    versions: [version(1, '2.0.1-2', { layerBytes: 812_000, installedBytes: 2_100_000, packages: 1 })],
    assignments: [assignment('call-center'), assignment('back-office', { kind: 'allowed' })],
    people: 214,
    desktops: { ready: 186, failed: 0 },
  },
  {
    name: 'call-notes',
    displayName: 'Call notes',
    description: 'One form for every call.',
    iconUrl: '/api/v1/apps/call-notes/icon',
    versions: [
      version(2, '1.1', {
        state: 'damaged',
        failure: 'Chunk 3 is not what was signed.',
        layerBytes: 96_000,
        installedBytes: 240_000,
      }),
      version(1, '1.0', { layerBytes: 94_000, installedBytes: 236_000 }),
    ],
    assignments: [assignment('call-center', { mode: 'on-demand' })],
    people: 198,
    desktops: { ready: 171, failed: 3 },
  },
  {
    name: 'gnumeric',
    displayName: 'Gnumeric',
    description: 'Spreadsheets.',
    iconUrl: '/api/v1/apps/gnumeric/icon',
    versions: [
      version(3, '1.12.57-1', { ring: 'pilot', createdAt: '2026-11-22T08:30:00Z' }),
      version(2, '1.12.56-1', { state: 'withdrawn' }),
      version(1, '1.12.55-1', { createdAt: '2026-11-02T10:12:00Z' }),
    ],
    assignments: [
      assignment('back-office'),
      assignment('back-office-pilots', { ring: 'pilot', serves: 3 }),
      assignment('call-center', { kind: 'allowed', mode: 'on-demand', version: 2, serves: null }),
    ],
    people: 61,
    desktops: { ready: 48, failed: 0 },
  },
];

const held = (name: string, displayName: string, role: string, more: object = {}): ProfileView['apps'][number] => ({
  name,
  displayName,
  version: 1,
  mode: 'at-logon',
  role,
  pinned: false,
  ...more,
});

export const people = (): ProfileView[] => [
  {
    username: 'alice',
    roles: ['call-center'],
    apps: [
      held('calculator', 'Calculator', 'call-center'),
      held('call-notes', 'Call notes', 'call-center', { mode: 'on-demand' }),
    ],
    updatedAt: '2026-11-23T08:02:00Z',
  },
  {
    username: 'bob',
    roles: ['call-center'],
    apps: [
      held('calculator', 'Calculator', 'call-center'),
      held('call-notes', 'Call notes', 'call-center', { mode: 'on-demand' }),
      held('gnumeric', 'Gnumeric', 'call-center', { pinned: true, mode: 'on-demand' }),
    ],
    updatedAt: '2026-11-23T07:58:00Z',
  },
  {
    username: 'carol',
    roles: ['back-office', 'back-office-pilots'],
    apps: [held('gnumeric', 'Gnumeric', 'back-office-pilots', { version: 3 })],
    updatedAt: '2026-11-22T16:41:00Z',
  },
  { username: 'ivan', roles: ['it-admins'], apps: [], updatedAt: '2026-11-21T09:15:00Z' },
];

const imageVersion = (number: number, more: Partial<ImageVersionView>): ImageVersionView => ({
  image: 'demo-desktop',
  number,
  state: 'retired',
  stateChangedAt: '2026-11-16T08:20:00Z',
  digest: String(number).repeat(64),
  sizeBytes: 1_279_000_000,
  storedBytes: 402_000_000,
  failure: null,
  publishedAt: null,
  hosts: [
    { name: 'host-a', ready: true, failure: null },
    { name: 'host-b', ready: true, failure: null },
  ],
  createdAt: '2026-11-16T08:00:00Z',
  ...more,
});

export const goldenImages = (): ImageView[] => [
  {
    name: 'demo-desktop',
    displayName: 'Demo desktop',
    versions: [
      imageVersion(4, {
        state: 'validating',
        storedBytes: 31_000_000,
        failure: 'host-b: not enough disk space for the copy.',
        hosts: [
          { name: 'host-a', ready: true, failure: null },
          { name: 'host-b', ready: false, failure: 'not enough disk space' },
        ],
        createdAt: '2026-11-23T08:00:00Z',
      }),
      imageVersion(3, { state: 'failed', failure: 'The desktop did not reach its waiting screen.', hosts: [] }),
      imageVersion(2, { state: 'published', publishedAt: '2026-11-16T08:20:00Z' }),
      imageVersion(1, { publishedAt: '2026-10-30T08:20:00Z', createdAt: '2026-10-30T08:00:00Z' }),
    ],
  },
];
