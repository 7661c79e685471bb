import type { Defects } from './defects.js';

export const sound: Defects = {
  without: [],
  destroysNothing: false,
  listsEarlier: false,
  neverStuck: false,
  neverOrphaned: false,
  skipsLockedSessions: false,
  servesLastFirst: false,
  dropsHooks: false,
};

/**
 * What can be broken on purpose, to see that it is found. Rules of the database that only repeat what the code does, such
 * as `one-owner`, cannot be missed as long as the code is right, so they are not here.
 */
export const mutations = {
  'one-live-session': { ...sound, without: ['one-live-session'] },
  'row-locks': { ...sound, without: ['row-locks'] },
  'queue-skips-locked': { ...sound, without: ['queue-lock'], skipsLockedSessions: true },
  'last-come-first-served': { ...sound, servesLastFirst: true },
  'plan-lock': { ...sound, without: ['plan-lock'] },
  'moves-check-state': { ...sound, without: ['moves-check-state'] },
  'no-jobs-after-commit': { ...sound, dropsHooks: true, neverStuck: true },
  'destroys-nothing': { ...sound, destroysNothing: true },
  'lists-machines-before-rows': { ...sound, listsEarlier: true },
  'no-stuck-reconciler': { ...sound, neverStuck: true },
  'no-orphan-sweep': { ...sound, neverOrphaned: true },
} as const satisfies Readonly<Record<string, Defects>>;

export type Mutation = keyof typeof mutations;

export const isMutation = (name: string): name is Mutation => name in mutations;

/** @throws Error when there is no such mutation */
export function defectsOf(name: string | undefined): Defects {
  if (name === undefined) return sound;
  if (!isMutation(name)) throw new Error(`there is no mutation ${name}`);
  return mutations[name];
}
