import { describe, expect, it } from '@jest/globals';
import type { SessionApp, SessionState, SessionView } from '#libs/contracts';
import { initialState, type PortalState } from './portal-state.js';
import { reducePortal } from './reduce-portal.js';

const sessionIn = (state: SessionState, change: Partial<SessionView> = {}): SessionView => ({
  id: '6f1c2f4e-64a3-4a0e-9a52-0f9a3e1f6c11',
  state,
  pool: 'call-center',
  poolDisplayName: 'Call centre',
  imageVersion: 1,
  desktop: null,
  apps: [],
  phases: [],
  preparingReason: 'logon',
  queue: null,
  failure: null,
  endReason: null,
  profile: null,
  createdAt: '2026-11-22T10:00:00Z',
  ...change,
});

const opening = { pool: 'call-center', poolDisplayName: 'Call centre', startedAtMs: 0, spareExpected: true, app: null };
const user = { username: 'alice', displayName: 'Alice', roles: [], isAdmin: false };
const signedIn = reducePortal(initialState, { type: 'signed-in', user });
const opened = (session = sessionIn('preparing')): PortalState =>
  reducePortal(reducePortal(signedIn, { type: 'open', opening }), { type: 'opened', session });
const event = (session: SessionView) => ({ type: 'session', session, noticeId: 7 }) as const;

describe('reducePortal', () => {
  it('shows the session screen at the click, before the broker has answered', () => {
    const state = reducePortal(signedIn, { type: 'open', opening });
    expect(state).toMatchObject({ screen: 'session', opening, session: null, failure: null });
  });

  it('follows the session it opened and lists it', () => {
    const state = reducePortal(opened(), event(sessionIn('ready')));
    expect(state.session?.state).toBe('ready');
    expect(state.sessions.map((session) => session.state)).toEqual(['ready']);
  });

  it("leaves the screen alone when another of the person's sessions changes", () => {
    const other = sessionIn('failed', { id: '00000000-0000-4000-8000-000000000001' });
    expect(reducePortal(opened(), event(other)).session?.state).toBe('preparing');
  });

  it('offers a retry when the first desktop fails', () => {
    const state = reducePortal(opened(), event(sessionIn('failed', { failure: 'No machine came up.' })));
    expect(state).toMatchObject({ screen: 'session', opening, session: null, failure: 'No machine came up.' });
    expect(state.sessions).toEqual([]);
  });

  it('goes back to the pools when a desktop that was in use fails', () => {
    const drawn = reducePortal(opened(sessionIn('active')), { type: 'drawn' });
    const state = reducePortal(drawn, event(sessionIn('failed', { failure: 'The host is gone.' })));
    expect(state).toMatchObject({ screen: 'pools', notice: { id: 7, kind: 'error', text: 'The host is gone.' } });
  });

  it.each([
    ['roamed', 'lasting', 'You signed in elsewhere; your work was saved and is there.'],
    ['expired', 'lasting', 'You were away for long, so your desktop Call centre was closed.'],
    ['log-off', 'info', 'You are logged off from Call centre.'],
  ] as const)('says why a session has ended: %s', (endReason, kind, text) => {
    const state = reducePortal(opened(sessionIn('active')), event(sessionIn('ended', { endReason })));
    expect(state).toMatchObject({ screen: 'pools', session: null, notice: { id: 7, kind, text } });
  });

  it.each(['ending', 'ended'] as const)('goes back to the pools with a message when the session is %s', (over) => {
    const state = reducePortal(opened(sessionIn('active')), event(sessionIn(over)));
    expect(state).toMatchObject({ screen: 'pools', session: null, notice: { kind: 'info' } });
    expect(state.notice?.text).toContain('Call centre');
  });

  it('forgets everything of the person at sign-out but the reason', () => {
    const notice = { id: 1, kind: 'info', text: 'Signed out.' } as const;
    expect(reducePortal(opened(), { type: 'signed-out', notice })).toEqual({
      ...initialState,
      screen: 'sign-in',
      notice,
    });
  });

  it('ignores an answer to a click that was taken back', () => {
    const left = reducePortal(reducePortal(signedIn, { type: 'open', opening }), { type: 'leave', notice: null });
    const state = reducePortal(left, { type: 'opened', session: sessionIn('preparing') });
    expect(state.screen).toBe('pools');
    expect(state.sessions).toHaveLength(1);
  });

  it('updates the one pool that an event names', () => {
    const pool = { name: 'call-center', displayName: 'Call centre', description: '', available: 2, hasProfile: true };
    const state = reducePortal(signedIn, { type: 'pools', pools: [pool, { ...pool, name: 'back-office' }] });
    const after = reducePortal(state, { type: 'pool', pool: { ...pool, available: 0 } });
    expect(after.pools?.map((each) => each.available)).toEqual([0, 2]);
  });

  it('waits for the application that was asked for until the desktop has it or does not get it', () => {
    const app = { name: 'gnumeric', displayName: 'Gnumeric' };
    const desktopWith = (state: SessionApp['state']) =>
      sessionIn('active', { apps: [{ ...app, version: 1, label: '1', mode: 'at-logon', state, reason: null }] });
    const asked = reducePortal(signedIn, { type: 'open', opening: { ...opening, app } });
    expect(asked.awaitedApp).toEqual(app);
    const attaching = reducePortal(asked, { type: 'opened', session: desktopWith('attaching') });
    expect(attaching.awaitedApp).toEqual(app);
    expect(reducePortal(attaching, event(desktopWith('ready'))).awaitedApp).toBeNull();
    expect(reducePortal(attaching, event(desktopWith('failed'))).awaitedApp).toBeNull();
    expect(reducePortal(attaching, { type: 'leave', notice: null }).awaitedApp).toBeNull();
  });

  it('keeps the applications it knows when they cannot be read again', () => {
    const known = reducePortal(signedIn, { type: 'apps', apps: [] });
    expect(reducePortal(known, { type: 'apps', apps: null })).toMatchObject({ apps: [], appsUnavailable: false });
    expect(reducePortal(signedIn, { type: 'apps', apps: null })).toMatchObject({ apps: null, appsUnavailable: true });
  });
});
