import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { SessionView, TicketView } from '#libs/contracts';
import { ApiError } from '../api/api-error.js';
import { type Connection, DesktopLink } from './desktop-link.js';
import type { ConnectionHandlers } from './guacamole-connection.js';

const desktopA = '00000000-0000-4000-8000-00000000000a';
const desktopB = '00000000-0000-4000-8000-00000000000b';

const session = (state: SessionView['state'], desktopId: string | null = desktopA): SessionView => ({
  id: '6f1c2f4e-64a3-4a0e-9a52-0f9a3e1f6c11',
  state,
  pool: 'call-center',
  poolDisplayName: 'Call centre',
  imageVersion: 1,
  desktop: desktopId === null ? null : { id: desktopId },
  apps: [],
  phases: [],
  preparingReason: 'logon',
  queue: null,
  failure: null,
  endReason: null,
  profile: null,
  createdAt: '2026-11-22T10:00:00Z',
});

/** A link whose tickets and tunnels are made by hand. */
function makeLink() {
  const tunnels: { ticket: string; handlers: ConnectionHandlers; closed: boolean }[] = [];
  const calls = { tickets: 0, refreshes: 0, gone: 0 };
  let refuseWith: ApiError | null = null;
  let signedOut = false;
  let nowMs = 0;
  const link = new DesktopLink<Connection>({
    requestTicket: async (): Promise<TicketView> => {
      calls.tickets += 1;
      if (refuseWith) throw refuseWith;
      return { ticket: `t${calls.tickets}`, tunnelUrl: '/tunnel', expiresAt: '2026-11-22T10:00:30Z' };
    },
    openConnection: (ticket, handlers) => {
      const tunnel = { ticket: ticket.ticket, handlers, closed: false };
      tunnels.push(tunnel);
      return {
        disconnect: () => {
          tunnel.closed = true;
        },
      };
    },
    refreshSession: () => {
      calls.refreshes += 1;
    },
    signedOutBy: (error) => {
      signedOut = error instanceof ApiError && error.signedOut;
      return signedOut;
    },
    onChange: () => undefined,
    onDrawn: () => undefined,
    onResize: () => undefined,
    onClipboard: () => undefined,
    onUnstableChange: () => undefined,
    onDesktopGone: () => {
      calls.gone += 1;
    },
    nowMs: () => nowMs,
  });
  return {
    link,
    tunnels,
    calls,
    refuse: (error: ApiError | null) => {
      refuseWith = error;
    },
    pass: async (ms: number) => {
      nowMs += ms;
      await jest.advanceTimersByTimeAsync(ms);
    },
  };
}

describe('DesktopLink', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('waits for the desktop and then connects once', async () => {
    const { link, tunnels, pass } = makeLink();
    link.follow(session('preparing', null));
    await pass(0);
    expect(tunnels).toHaveLength(0);
    link.follow(session('ready'));
    link.follow(session('active'));
    await pass(0);
    expect(tunnels).toHaveLength(1);
    tunnels[0]?.handlers.onDrawn();
    expect(link.state.kind).toBe('connected');
  });

  it('takes a new ticket after a loss, with growing delays', async () => {
    const { link, tunnels, calls, pass } = makeLink();
    link.follow(session('active'));
    await pass(0);
    tunnels[0]?.handlers.onEnd('lost');
    expect(link.state).toMatchObject({ kind: 'waiting', attempt: 1 });
    expect(calls.refreshes).toBe(1);
    await pass(300);
    expect(tunnels.map((tunnel) => tunnel.ticket)).toEqual(['t1', 't2']);
    tunnels[1]?.handlers.onEnd('lost');
    await pass(300);
    expect(tunnels).toHaveLength(2);
    await pass(300);
    expect(tunnels).toHaveLength(3);
  });

  it('starts again with short delays after a connection that lived', async () => {
    const { link, tunnels, pass } = makeLink();
    link.follow(session('active'));
    await pass(0);
    tunnels[0]?.handlers.onEnd('lost');
    await pass(300);
    tunnels[1]?.handlers.onDrawn();
    await pass(6_000);
    tunnels[1]?.handlers.onEnd('lost');
    expect(link.state).toMatchObject({ kind: 'waiting', attempt: 1 });
  });

  it('leaves the old desktop at once when it is recycled, and joins the new one', async () => {
    const { link, tunnels, calls, pass } = makeLink();
    link.follow(session('active'));
    await pass(0);
    tunnels[0]?.handlers.onDrawn();
    link.follow(session('preparing', null));
    expect(tunnels[0]?.closed).toBe(true);
    expect(calls.gone).toBe(1);
    expect(link.state.kind).toBe('idle');
    await pass(60_000);
    expect(tunnels).toHaveLength(1);
    link.follow(session('ready', desktopB));
    await pass(0);
    expect(tunnels).toHaveLength(2);
  });

  it('notices a new desktop even when it missed the states between', async () => {
    const { link, tunnels, pass } = makeLink();
    link.follow(session('active', desktopA));
    await pass(0);
    link.follow(session('active', desktopB));
    await pass(0);
    expect(tunnels[0]?.closed).toBe(true);
    expect(tunnels).toHaveLength(2);
  });

  it('does not fight over a desktop that another window took, until it is told to', async () => {
    const { link, tunnels, pass } = makeLink();
    link.follow(session('active'));
    await pass(0);
    tunnels[0]?.handlers.onEnd('conflict');
    await pass(60_000);
    link.follow(session('disconnected'));
    link.follow(session('active'));
    link.follow(session('preparing', null));
    link.follow(session('ready', desktopB));
    link.retryNow();
    await pass(60_000);
    expect(link.state.kind).toBe('conflict');
    expect(tunnels).toHaveLength(1);
    link.takeOver();
    await pass(0);
    expect(tunnels).toHaveLength(2);
  });

  it('tries again when no ticket can be had, but not after a sign-out', async () => {
    const { link, calls, refuse, pass } = makeLink();
    refuse(new ApiError('unavailable', 503));
    link.follow(session('active'));
    await pass(300);
    expect(calls.tickets).toBe(2);
    refuse(new ApiError('not-signed-in', 401));
    await pass(60_000);
    expect(calls.tickets).toBe(3);
  });

  it('ignores what an old tunnel still says', async () => {
    const { link, tunnels, pass } = makeLink();
    link.follow(session('active', desktopA));
    await pass(0);
    link.follow(session('active', desktopB));
    await pass(0);
    tunnels[1]?.handlers.onDrawn();
    tunnels[0]?.handlers.onEnd('lost');
    expect(link.state.kind).toBe('connected');
  });
});
