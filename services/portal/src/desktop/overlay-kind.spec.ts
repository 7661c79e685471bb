import { describe, expect, it } from '@jest/globals';
import type { SessionState, SessionView } from '#libs/contracts';
import type { LinkState } from './link-state.js';
import { overlayKindOf } from './overlay-kind.js';

const inState = (
  state: SessionState,
  change: { drawn?: boolean; failure?: string; pending?: 'restart' | 'log-off' } = {},
) => ({
  session: { state } as SessionView,
  drawn: change.drawn ?? true,
  failure: change.failure ?? null,
  pending: change.pending ?? null,
});
const connected: LinkState = { kind: 'connected' };
const waiting: LinkState = { kind: 'waiting', attempt: 1, retryAtMs: 0, end: 'lost' };

describe('overlayKindOf', () => {
  it('leaves a connected desktop free', () => expect(overlayKindOf(inState('active'), connected, true)).toBe('none'));

  it('shows the logon until the first picture', () => {
    expect(overlayKindOf(inState('preparing', { drawn: false }), { kind: 'idle' }, false)).toBe('logon');
    expect(overlayKindOf(inState('ready', { drawn: false }), { kind: 'connecting', attempt: 0 }, false)).toBe('logon');
  });

  it('tells a lost connection from a lost desktop', () => {
    expect(overlayKindOf(inState('active'), waiting, true)).toBe('reconnecting');
    expect(overlayKindOf(inState('active'), { kind: 'connecting', attempt: 0 }, false)).toBe('preparing');
    expect(overlayKindOf(inState('preparing'), { kind: 'idle' }, false)).toBe('preparing');
  });

  it('covers the desktop as soon as its end was asked for', () => {
    expect(overlayKindOf(inState('active', { pending: 'restart' }), connected, true)).toBe('preparing');
    expect(overlayKindOf(inState('active', { pending: 'log-off' }), connected, true)).toBe('logging-off');
  });

  it('says that another window has it, and that it failed', () => {
    expect(overlayKindOf(inState('active'), { kind: 'conflict' }, true)).toBe('conflict');
    expect(overlayKindOf(inState('failed', { failure: 'x' }), { kind: 'idle' }, false)).toBe('failure');
  });
});
