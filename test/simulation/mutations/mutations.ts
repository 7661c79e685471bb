import type { Defects } from '../world/data-centre.js';

export const sound: Defects = {
  without: [],
  destroysNothing: false,
  listsEarlier: false,
  neverStuck: false,
  neverOrphaned: false,
};

/** What can be broken on purpose, to see that it is found. */
export const mutations = {
  'one-live-session': { ...sound, without: ['one-live-session'] },
  'one-session-per-request': { ...sound, without: ['one-session-per-request'] },
  'row-locks': { ...sound, without: ['row-locks'] },
  'queue-lock': { ...sound, without: ['queue-lock'] },
  'plan-lock': { ...sound, without: ['plan-lock'] },
  'moves-check-state': { ...sound, without: ['moves-check-state'] },
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
