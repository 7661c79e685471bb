import type { SessionView } from '#libs/contracts';
import type { PortalAction } from './portal-action.js';
import { type AppRef, initialState, isOver, type Notice, type PortalState } from './portal-state.js';

/** The page after `action`. Pure: calls to the broker are the `Portal`'s. */
export function reducePortal(state: PortalState, action: PortalAction): PortalState {
  switch (action.type) {
    case 'signed-in':
      return { ...initialState, eventsOnline: state.eventsOnline, screen: 'pools', user: action.user };
    case 'signed-out':
      return { ...initialState, screen: 'sign-in', notice: action.notice };
    case 'pools':
      return { ...state, pools: action.pools };
    case 'pool':
      return {
        ...state,
        pools: state.pools?.map((pool) => (pool.name === action.pool.name ? action.pool : pool)) ?? null,
      };
    case 'sessions':
      return { ...state, sessions: action.sessions.filter((session) => !isOver(session)) };
    case 'apps':
      if (action.apps === null) return { ...state, appsUnavailable: state.apps === null };
      return { ...state, apps: action.apps, appsUnavailable: false };
    case 'await-app':
      return { ...state, awaitedApp: stillAwaited(action.app, state.session) };
    case 'session':
      return withSession(state, action.session, action.noticeId);
    case 'open':
      return {
        ...atPools(state),
        screen: 'session',
        opening: action.opening,
        awaitedApp: action.opening.app,
        notice: null,
      };
    case 'opened':
      if (state.screen !== 'session') return withListed(state, action.session);
      return withSession({ ...state, session: action.session }, action.session, 0);
    case 'open-failed':
      return state.screen === 'session' ? { ...state, failure: action.failure, session: null } : state;
    case 'drawn':
      return state.drawn ? state : { ...state, drawn: true };
    case 'pending':
      return { ...state, pending: action.pending };
    case 'leave':
      return { ...atPools(state), notice: action.notice };
    case 'notice':
      return { ...state, notice: action.notice };
    case 'events-online':
      return { ...state, eventsOnline: action.online };
  }
}

function atPools(state: PortalState): PortalState {
  const nothingOpen = { opening: null, session: null, drawn: false, failure: null, pending: null, awaitedApp: null };
  return { ...state, ...nothingOpen, screen: 'pools' };
}

function withListed(state: PortalState, session: SessionView): PortalState {
  const others = state.sessions.filter((listed) => listed.id !== session.id);
  return { ...state, sessions: isOver(session) ? others : [...others, session] };
}

function withSession(before: PortalState, session: SessionView, noticeId: number): PortalState {
  const state = withListed(before, session);
  if (state.session?.id !== session.id) return state;
  if (isOver(state.session) && !isOver(session)) return state; // a late answer never revives what is over
  if (session.state === 'failed' && !state.drawn) {
    return { ...state, session: null, failure: session.failure ?? 'Your desktop could not be prepared.' };
  }
  if (session.state === 'failed') {
    const text = session.failure ?? 'Your desktop failed and could not be replaced.';
    return { ...atPools(state), notice: { id: noticeId, kind: 'error', text } };
  }
  if (session.state === 'ended' || session.state === 'ending') {
    return { ...atPools(state), notice: { id: noticeId, ...noticeOfEnd(session) } };
  }
  return { ...state, session, awaitedApp: stillAwaited(state.awaitedApp, session) };
}

/** Nobody may be looking when it ends without them: then it stays to be read. */
function noticeOfEnd({ endReason, poolDisplayName }: SessionView): Pick<Notice, 'kind' | 'text'> {
  if (endReason === 'roamed') {
    return { kind: 'lasting', text: 'You signed in elsewhere; your work was saved and is there.' };
  }
  if (endReason === 'expired') {
    return { kind: 'lasting', text: `You were away for long, so your desktop ${poolDisplayName} was closed.` };
  }
  return { kind: 'info', text: `You are logged off from ${poolDisplayName}.` };
}

/** What was waited for is there, or will not come: of the first the desktop shows a window, of the other the page tells. */
function stillAwaited(app: AppRef | null, session: SessionView | null): AppRef | null {
  const state = session?.apps.find((each) => each.name === app?.name)?.state;
  return state === 'ready' || state === 'failed' ? null : app;
}
