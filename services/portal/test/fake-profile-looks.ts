import { randomUUID } from 'node:crypto';
import {
  type BeginProfileLookup,
  beginProfileLookupSchema,
  type ProfileEntry,
  type ProfileLookupFailure,
} from '#libs/contracts';
import { json, problem } from './fake-answers.js';
import type { Call, Route } from './fake-route.js';

/** What alice's older versions hold, all the same; looked into as the broker and a provisioner do it. */
export class FakeProfileLooks {
  folders: Readonly<Record<string, readonly ProfileEntry[]>> = {};
  files: Readonly<Record<string, string>> = {};
  /** Of folders: they hold more than the broker lists. */
  isComplete = true;
  /** Looks are not answered for as long as it is so. */
  isSlow = false;
  /** How looks come to nothing; `forgotten`: ten minutes have gone by. */
  failure: ProfileLookupFailure | 'forgotten' | null = null;
  /** Nobody but IT may look. */
  isRefused = false;
  /** Whose, of what and by which kind, for every one that was begun. */
  readonly begun: string[] = [];
  private readonly looks = new Map<string, BeginProfileLookup>();

  /** @param isAdmitted whether the person who is signed in is of IT */
  constructor(private readonly isAdmitted: () => boolean) {}

  clear(): void {
    this.folders = home();
    this.files = {};
    this.isComplete = true;
    this.isSlow = false;
    this.failure = null;
    this.isRefused = false;
    this.begun.length = 0;
    this.looks.clear();
  }

  readonly routes: readonly Route[] = [
    [/^POST (\/me\/profile|\/profiles\/alice)\/volumes\/([^/]+\/versions\/\d+)\/lookups$/, (call) => this.begin(call)],
    [/^GET (\/me\/profile|\/profiles\/alice)\/.*\/lookups\/([^/]+)$/, (call) => this.view(call)],
    [/^GET (\/me\/profile|\/profiles\/alice)\/.*\/lookups\/([^/]+)\/content$/, (call) => this.content(call)],
  ];

  private begin(call: Call): void {
    if (this.isRefused || !this.mayLook(call)) {
      problem(call.response, 403, 'forbidden');
      return;
    }
    const wanted = beginProfileLookupSchema.parse(call.body);
    const id = randomUUID();
    this.looks.set(id, wanted);
    this.begun.push(`${call.id} ${call.second} ${wanted.kind} ${wanted.path}`);
    json(call.response, 202, { id });
  }

  private view(call: Call): void {
    const wanted = this.looks.get(call.second);
    if (!wanted || this.failure === 'forgotten') {
      problem(call.response, 404, 'not-found');
      return;
    }
    const entries = wanted.kind === 'folder' ? this.folders[wanted.path] : undefined;
    const isThere = entries !== undefined || this.files[wanted.path] !== undefined;
    const failure = this.failure ?? (isThere ? null : 'not-found');
    json(call.response, 200, {
      ...{ id: call.second, ...wanted, state: 'done', failure: null, createdAt: '2026-11-23T09:00:00Z' },
      ...{ entries: entries ?? null, isComplete: this.isComplete },
      ...(failure && { state: 'failed', failure, entries: null }),
      ...(this.isSlow && { state: 'waiting', failure: null, entries: null }),
    });
  }

  /** With the headers of the broker (`sendFile`). */
  private content(call: Call): void {
    const wanted = this.looks.get(call.second);
    const content = wanted && this.files[wanted.path];
    if (content === undefined || !this.mayLook(call)) {
      problem(call.response, 404, 'not-found');
      return;
    }
    const name = wanted?.path.split('/').at(-1)?.replaceAll('\\', '_') ?? '';
    call.response
      .writeHead(200, {
        'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name)}`,
        'content-type': 'application/octet-stream',
        'cache-control': 'no-store',
        'content-security-policy': "default-src 'none'; sandbox",
        'x-content-type-options': 'nosniff',
      })
      .end(content);
  }

  private mayLook(call: Call): boolean {
    return call.id === '/me/profile' || this.isAdmitted();
  }
}

export const entry = (name: string, more: Partial<ProfileEntry> = {}): ProfileEntry => ({
  name,
  kind: 'file',
  sizeBytes: 18_432,
  modifiedAt: '2026-11-20T13:58:00Z',
  ...more,
});

export const folder = (name: string): ProfileEntry => entry(name, { kind: 'folder', sizeBytes: 0 });

/** A home as people have one, with what programs and other systems leave in it. */
export const home = (): Readonly<Record<string, readonly ProfileEntry[]>> => ({
  '': [
    folder('.config'),
    folder('Documents'),
    folder('Downloads'),
    folder('empty'),
    entry('.bashrc', { sizeBytes: 3_526 }),
    entry('back\\\\slash & <b>bold.html', { sizeBytes: 812 }),
    entry('caf\\xe9 menu.txt', { sizeBytes: 96, modifiedAt: null }),
    entry('latest', { kind: 'link', sizeBytes: 14 }),
    entry('recording of the call of 12 November with the customer from the north.ogg', { sizeBytes: 61_000_000 }),
    entry('הצעה 2026.odt', { sizeBytes: 24_100 }),
  ],
  '.config': [entry('user-dirs.dirs', { sizeBytes: 633 })],
  Documents: [folder('Letters, 50% #done?'), entry('report.odt', { sizeBytes: 2_400_000 })],
  'Documents/Letters, 50% #done?': [entry('letter.odt'), entry('letter 2.odt')],
  Downloads: Array.from({ length: 250 }, (_, index) => entry(`invoice-${index + 1}.pdf`)),
  empty: [],
});
