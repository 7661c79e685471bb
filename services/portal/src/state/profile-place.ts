import { useMemo, useSyncExternalStore } from 'react';

const prefix = '#/profile/';

/** A place in a profile that the page's address names. */
export interface ProfilePlace {
  readonly context: string;
  /** The version that is looked into, and the folder in it as the API writes paths; null: the list of versions. */
  readonly look: { readonly number: number; readonly path: string } | null;
}

/** A place in a version. */
export interface LookPlace extends ProfilePlace {
  readonly look: NonNullable<ProfilePlace['look']>;
}

/** `#/profile/work`, `#/profile/work/9`, `#/profile/work/9/Documents/2026`; null for everything else. */
export function parseProfilePlace(hash: string): ProfilePlace | null {
  if (!hash.startsWith(prefix)) return null;
  const [context = '', number, ...folders] = hash.slice(prefix.length).split('/').map(decoded);
  if (!/^[a-z][a-z0-9-]*$/.test(context)) return null;
  if (number === undefined) return { context, look: null };
  if (!/^[1-9][0-9]{0,6}$/.test(number)) return null;
  return { context, look: { number: Number(number), path: folders.join('/') } };
}

/** What a link to it names. A place of the page stays out of the server's sight, so no name of a folder is logged. */
export function hrefOf({ context, look }: ProfilePlace): string {
  const folders = look?.path ? look.path.split('/') : [];
  return [`${prefix}${context}`, ...(look ? [look.number, ...folders.map(encodeURIComponent)] : [])].join('/');
}

/** The page without a place in it. */
export const nowhere = '#/';

/** So that the next person at this screen does not begin there. */
export function leavePlace(): void {
  if (parseProfilePlace(location.hash)) history.replaceState(null, '', location.pathname);
}

export function useProfilePlace(): ProfilePlace | null {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  return useMemo(() => parseProfilePlace(hash), [hash]);
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
