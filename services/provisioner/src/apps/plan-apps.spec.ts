import { describe, expect, it } from '@jest/globals';
import type { WantedApp } from '#libs/sessions';
import { planApps } from './plan-apps.js';

const app = (name: string, change: Partial<WantedApp> = {}): WantedApp => ({
  ...{ appId: `id-${name}`, name, versionId: `v-${name}`, mode: 'at-logon', refusal: null, held: null },
  ...{ document: { payload: '{}', signature: '', keyId: '' }, isStartWanted: false },
  ...change,
});
const held = (state: 'ready' | 'failed', versionId: string, mode: 'at-logon' | 'on-demand' = 'at-logon') => ({
  held: { state, versionId, mode },
});
const names = (apps: readonly WantedApp[]) => apps.map(({ name }) => name);

describe('planApps', () => {
  const plan = (wanted: WantedApp[], has: string[] = [], asked: string[] = []) =>
    planApps(wanted, new Set(has), ({ name }) => asked.includes(name));

  it('attaches what is for the logon, and shows what is on demand until somebody wants it', () => {
    const wanted = [app('a'), app('b', { mode: 'on-demand' }), app('c', { mode: 'on-demand' })];
    const { attached, menu, refused } = plan(wanted, [], ['c']);
    expect([names(attached), names(menu), refused]).toEqual([['a', 'c'], ['b'], []]);
  });

  it('leaves attached what was once chosen', () => {
    const { attached } = plan([app('a', { mode: 'on-demand' })], ['v-a']);
    expect(names(attached)).toEqual(['a']);
  });

  it('refuses what must not be attached, whoever asks', () => {
    const { attached, refused } = plan([app('a', { refusal: 'withdrawn' })], ['v-a'], ['a']);
    expect([names(attached), refused.map(({ reason }) => reason)]).toEqual([[], ['withdrawn']]);
  });

  it('does not try again by itself what failed, unless it is another version or mode', () => {
    const failed = app('a', held('failed', 'v-a'));
    expect(names(plan([failed], ['v-a']).attached)).toEqual([]);
    expect(names(plan([failed], [], ['a']).attached)).toEqual(['a']);
    expect(names(plan([app('a', held('failed', 'older'))]).attached)).toEqual(['a']);
    expect(names(plan([app('a', held('failed', 'v-a', 'on-demand'))]).attached)).toEqual(['a']);
  });

  it('offers again what failed and is on demand', () => {
    const { attached, menu } = plan([app('a', { mode: 'on-demand', ...held('failed', 'v-a', 'on-demand') })]);
    expect([names(attached), names(menu)]).toEqual([[], ['a']]);
  });
});
