import { describe, expect, it } from '@jest/globals';
import type { LogonPhase, SessionView } from '#libs/contracts';
import { phaseRows } from './phase-rows.js';

const startedAt = '2026-11-22T10:00:00Z';
const session = (state: SessionView['state'], phases: LogonPhase[]): SessionView => ({
  id: '6f1c2f4e-64a3-4a0e-9a52-0f9a3e1f6c11',
  state,
  pool: 'call-center',
  poolDisplayName: 'Call centre',
  imageVersion: 1,
  desktop: null,
  apps: [],
  phases,
  preparingReason: 'logon',
  queue: null,
  failure: null,
  endReason: null,
  profile: null,
  createdAt: startedAt,
});
const statuses = (of: SessionView | null, drawn = false) => phaseRows(of, drawn).map((row) => row.status);

describe('phaseRows', () => {
  it('is at the first phase before the broker has answered', () => {
    expect(statuses(null)).toEqual(['running', 'waiting', 'waiting', 'waiting']);
  });

  it('shows what the broker reports, with its times', () => {
    const rows = phaseRows(
      session('preparing', [
        { name: 'authorize', startedAt, durationMs: 12 },
        { name: 'allocate', startedAt, durationMs: null },
      ]),
      false,
    );
    expect(rows.map((row) => row.status)).toEqual(['done', 'running', 'waiting', 'waiting']);
    expect(rows[0]?.durationMs).toBe(12);
  });

  it('is connecting once the desktop is ready, and done once it is drawn', () => {
    expect(statuses(session('ready', []))).toEqual(['done', 'done', 'done', 'running']);
    expect(statuses(session('active', []), true)).toEqual(['done', 'done', 'done', 'done']);
  });

  it('never claims to connect to a desktop that is not ready', () => {
    const all = (['authorize', 'allocate', 'prepare', 'connect'] as const).map((name) => ({
      name,
      startedAt,
      durationMs: 5,
    }));
    expect(statuses(session('preparing', all))).toEqual(['done', 'done', 'running', 'waiting']);
  });
});
