import { useSyncExternalStore } from 'react';

/** A page of the console, as its address says. */
export type ConsoleRoute =
  | { readonly page: 'apps'; readonly app: string | null }
  | { readonly page: 'people'; readonly person: string | null }
  | { readonly page: 'limits' }
  | { readonly page: 'desktops' }
  | { readonly page: 'images' };

const moved = 'goldleaf-console-moved';

/** `/console/apps/gnumeric` and the like; anything else is the list of applications. */
export function parseConsoleRoute(pathname: string): ConsoleRoute {
  const [, , page, name] = pathname.split('/');
  if (page === 'people') return { page, person: name ? decoded(name) : null };
  if (page === 'limits' || page === 'desktops' || page === 'images') return { page };
  return { page: 'apps', app: page === 'apps' && name ? name : null };
}

/** People are named as their directory likes; what is no encoding names nobody. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

export function useConsoleRoute(): ConsoleRoute {
  const pathname = useSyncExternalStore(subscribe, () => location.pathname);
  return parseConsoleRoute(pathname);
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('popstate', listener);
  window.addEventListener(moved, listener);
  return () => {
    window.removeEventListener('popstate', listener);
    window.removeEventListener(moved, listener);
  };
}

/** Goes to another page of the console without loading anything again. */
export function goToConsole(path: string): void {
  history.pushState(null, '', path);
  window.dispatchEvent(new Event(moved));
  window.scrollTo(0, 0);
}
