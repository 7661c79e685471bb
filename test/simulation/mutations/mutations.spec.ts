import { describe, expect, it } from '@jest/globals';
import { simulate } from '../simulate.js';
import { type Mutation, mutations } from './mutations.js';

/** Most seeds that are tried until something broken must have been found. */
const ENOUGH: Readonly<Record<Mutation, number>> = {
  'one-live-session': 10,
  'row-locks': 20,
  'queue-skips-locked': 40,
  'last-come-first-served': 20,
  'plan-lock': 40,
  'moves-check-state': 20,
  'no-jobs-after-commit': 5,
  'destroys-nothing': 10,
  'lists-machines-before-rows': 250,
  'no-stuck-reconciler': 30,
  'no-orphan-sweep': 40,
};

/** The first seed that fails and what it breaks. */
async function firstFailure(name: Mutation): Promise<string | undefined> {
  for (let seed = 1; seed <= ENOUGH[name]; seed += 1) {
    const { failure } = await simulate({ seed, defects: mutations[name] });
    if (failure) return failure.invariant;
  }
  return undefined;
}

describe('the simulation finds what is broken on purpose', () => {
  it.each([
    ['one-live-session', 'one live session'],
    ['queue-skips-locked', 'queue order'],
    ['last-come-first-served', 'queue order'],
    ['plan-lock', 'maximum'],
    ['no-jobs-after-commit', 'at rest in time'],
    ['destroys-nothing', 'at rest in time'],
    ['lists-machines-before-rows', 'nothing taken that works'],
    ['no-stuck-reconciler', 'at rest in time'],
    ['no-orphan-sweep', 'at rest in time'],
  ] as const)('%s breaks "%s"', async (name, invariant) => {
    expect(await firstFailure(name)).toBe(invariant);
  });

  // These break whatever comes first.
  it.each(['row-locks', 'moves-check-state'] as const)('%s', async (name) => {
    expect(await firstFailure(name)).toBeDefined();
  });

  it('and nothing in what is not broken', async () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const { failure } = await simulate({ seed });
      expect({ seed, failure: failure?.message }).toEqual({ seed, failure: undefined });
    }
  });
});
