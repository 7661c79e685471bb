import { type LogonPhaseName, logonPhaseNameSchema, type SessionView } from '#libs/contracts';
import { isConnectable } from './link-state.js';

export interface PhaseRow {
  readonly name: LogonPhaseName;
  readonly status: 'done' | 'running' | 'waiting';
  /** Null where nobody measured it. */
  readonly durationMs: number | null;
}

/**
 * The phases of a logon as the screen shows them: exactly one is running until the picture is `drawn`. The last
 * one is this browser's own and is never taken from the broker.
 */
export function phaseRows(session: SessionView | null, drawn: boolean): PhaseRow[] {
  const deskReady = isConnectable(session);
  const names = logonPhaseNameSchema.options.filter((name) => name !== 'profile' || session?.profile);
  const rows = names.map((name): PhaseRow => {
    const durationMs = session?.phases.find((phase) => phase.name === name)?.durationMs ?? null;
    const done = name === 'connect' ? drawn : deskReady || durationMs !== null;
    return { name, status: done ? 'done' : 'waiting', durationMs: done ? durationMs : null };
  });
  const current = rows.findIndex((row) => row.status === 'waiting');
  return rows.map((row, index) => {
    if (index === current && (deskReady || row.name !== 'connect')) return { ...row, status: 'running' };
    // Not ready although all before are done: the broker is still at the last of them.
    if (current === names.indexOf('connect') && !deskReady && index === current - 1) {
      return { ...row, status: 'running', durationMs: null };
    }
    return row;
  });
}
