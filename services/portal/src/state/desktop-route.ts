const prefix = '#/desktop/';

/**
 * The one route of the page: `#/desktop/<pool>` while a desktop is on the screen, so that a reload returns to it and
 * the browser's Back button leads to the pools.
 */
export class DesktopRoute {
  constructor(onBack: () => void) {
    window.addEventListener('popstate', () => {
      if (this.pool === null) onBack();
    });
  }

  /** The pool that the address names; null on every other page. */
  get pool(): string | null {
    return location.hash.startsWith(prefix) ? decodeURIComponent(location.hash.slice(prefix.length)) : null;
  }

  enter(pool: string): void {
    if (this.pool === pool) return;
    history.pushState(null, '', `${prefix}${encodeURIComponent(pool)}`);
  }

  clear(): void {
    if (this.pool !== null) history.replaceState(null, '', location.pathname);
  }
}
