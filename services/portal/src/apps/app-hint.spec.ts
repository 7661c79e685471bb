import { describe, expect, it } from '@jest/globals';
import type { MyApp, SessionApp } from '#libs/contracts';
import { hintForApp } from './app-hint.js';

const app: MyApp = {
  name: 'gnumeric',
  displayName: 'Gnumeric',
  description: '',
  iconUrl: '',
  mode: 'at-logon',
  kind: 'assigned',
  pinned: false,
  pools: ['office', 'call-center'],
};
const pools = [
  { name: 'call-center', displayName: 'Call centre' },
  { name: 'office', displayName: 'Office' },
];
const onDesktop: SessionApp = {
  name: 'gnumeric',
  displayName: 'Gnumeric',
  version: 1,
  label: '1',
  mode: 'at-logon',
  state: 'ready',
  reason: null,
};

describe('hintForApp', () => {
  it('says nothing where there is nothing to choose', () => {
    expect(hintForApp(app, pools.slice(1), [])).toBeNull();
    expect(hintForApp({ ...app, kind: 'allowed' }, pools, [])).toBeNull();
  });

  it('names the desktop where there are several: the first, or the one that is there', () => {
    expect(hintForApp(app, pools, [])).toBe('Opens on Office.');
    const session = { pool: 'call-center', state: 'active', apps: [onDesktop] } as const;
    expect(hintForApp({ ...app, mode: 'on-demand' }, pools, [{ ...session, apps: [...session.apps] }])).toBe(
      'Opens on Call centre. Added when you first open it.',
    );
  });

  it('tells when the desktop in use does not have it, or none can', () => {
    expect(hintForApp(app, pools, [{ pool: 'office', state: 'active', apps: [] }])).toBe(
      'Comes with your next desktop.',
    );
    expect(hintForApp({ ...app, pools: [] }, pools, [])).toBe('None of your desktops can have it.');
  });
});
