import { describe, expect, it } from '@jest/globals';
import type { SessionApp } from '#libs/contracts';
import { ToldFailures } from './told-failures.js';

const failed = (name: string, reason: SessionApp['reason'] = 'damaged'): SessionApp => ({
  name,
  displayName: name,
  version: 1,
  label: '1',
  mode: 'at-logon',
  state: 'failed',
  reason,
});

/** The browser's storage of one tab. */
const storage = () => {
  const values = new Map<string, string>();
  return {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
  };
};

describe('ToldFailures', () => {
  it('tells each failure of a session once, also after a reload', () => {
    const tab = storage();
    const told = new ToldFailures(tab);
    const session = { id: 'one', apps: [failed('aa'), { ...failed('bb'), state: 'ready' as const }, failed('cc')] };
    expect(told.untold(session).map((app) => app.name)).toEqual(['aa', 'cc']);
    told.add('one', told.untold(session));
    expect(told.untold(session)).toEqual([]);
    expect(new ToldFailures(tab).untold(session)).toEqual([]);
    expect(told.untold({ ...session, id: 'two' })).toHaveLength(2);
  });

  it('tells of another reason, and again of one that the person had tried again', () => {
    const told = new ToldFailures(storage());
    told.add('one', [failed('aa'), failed('cc')]);
    expect(told.untold({ id: 'one', apps: [failed('aa', 'too-slow')] })).toHaveLength(1);
    told.forget('one', 'aa');
    expect(told.untold({ id: 'one', apps: [failed('aa'), failed('cc')] }).map((app) => app.name)).toEqual(['aa']);
  });

  it('does without storage', () => {
    const told = new ToldFailures(null);
    told.add('one', [failed('aa')]);
    expect(told.untold({ id: 'one', apps: [failed('aa')] })).toEqual([]);
  });
});
