/**
 * Why a tunnel is no more: `conflict` = the desktop was opened elsewhere, `replaced` = a clean one takes its place,
 * `closed` = the session was ended, `silent` = the desktop does not answer.
 */
export type TunnelEnd = 'conflict' | 'replaced' | 'closed' | 'refused' | 'silent' | 'lost';

/** Guacamole status codes that say more than "it is gone". */
const byStatus: Readonly<Record<number, TunnelEnd>> = {
  514: 'silent',
  515: 'silent',
  518: 'replaced',
  521: 'conflict',
  523: 'closed',
  769: 'refused',
  771: 'refused',
};

/** The gateway's own word for it, more exact than the status: `519 desktop-refused: ...`. */
const byWord: readonly (readonly [RegExp, TunnelEnd])[] = [
  [/\bopened-elsewhere\b/, 'conflict'],
  [/\bdesktop-replaced\b/, 'replaced'],
  [/\bdesktop-(refused|closed|silent|never-drew|protocol)\b/, 'silent'],
];

/** Reads the last status of a tunnel; null when it closed without any. */
export function tunnelEndOf(
  status: { readonly code: number; readonly message?: string | undefined } | null,
): TunnelEnd {
  if (!status) return 'lost';
  const word = byWord.find(([pattern]) => pattern.test(status.message ?? ''));
  return word?.[1] ?? byStatus[status.code] ?? 'lost';
}
