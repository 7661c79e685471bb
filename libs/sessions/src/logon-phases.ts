import type { LogonPhase, LogonPhaseName } from '#libs/contracts';

/** Adds a phase that begins at `at`. */
export const beginPhase = (phases: readonly LogonPhase[], name: LogonPhaseName, at: Date): LogonPhase[] => [
  ...phases,
  { name, startedAt: at.toISOString(), durationMs: null },
];

/** Ends the phase under way of that name; one that has ended stays as it is. */
export const endPhase = (phases: readonly LogonPhase[], name: LogonPhaseName, at: Date): LogonPhase[] =>
  phases.map((phase) =>
    phase.name === name && phase.durationMs === null
      ? { ...phase, durationMs: Math.max(0, at.getTime() - Date.parse(phase.startedAt)) }
      : phase,
  );

/** Duration in seconds of an ended phase. */
export function phaseSeconds(phases: readonly LogonPhase[], name: LogonPhaseName): number | undefined {
  const durationMs = phases.find((phase) => phase.name === name)?.durationMs;
  return durationMs === null || durationMs === undefined ? undefined : durationMs / 1_000;
}
