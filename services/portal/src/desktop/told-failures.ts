import type { SessionApp, SessionView } from '#libs/contracts';

const storageKey = 'goldleaf.told-apps';

/** Which failed applications the person has been told of, so that nobody is told twice in a session, reloads included. */
export class ToldFailures {
  private readonly told: Set<string>;

  constructor(private readonly storage: Pick<Storage, 'getItem' | 'setItem'> | null = storageOfTab()) {
    this.told = new Set(storage?.getItem(storageKey)?.split('\n'));
  }

  /** The failed applications of the session that are still to be told. */
  untold(session: Pick<SessionView, 'id' | 'apps'> | null): SessionApp[] {
    if (session === null) return [];
    return session.apps.filter((app) => app.state === 'failed' && !this.told.has(keyOf(session.id, app)));
  }

  /** The person had it tried again: if it fails again, that is news. */
  forget(sessionId: string, name: string): void {
    for (const key of this.told) if (key.startsWith(`${sessionId}/${name}/`)) this.told.delete(key);
    this.keep();
  }

  add(sessionId: string, apps: readonly SessionApp[]): void {
    for (const app of apps) this.told.add(keyOf(sessionId, app));
    this.keep();
  }

  private keep(): void {
    try {
      this.storage?.setItem(storageKey, [...this.told].join('\n'));
    } catch {
      // A full or forbidden storage costs one more notice after a reload.
    }
  }
}

function keyOf(sessionId: string, app: SessionApp): string {
  return `${sessionId}/${app.name}/${app.version}/${app.reason}`;
}

function storageOfTab(): Storage | null {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}
