/** Why a tunnel is no more: `conflict` = the desktop was opened elsewhere, `closed` = the session was ended. */
export type TunnelEnd = 'conflict' | 'closed' | 'refused' | 'silent' | 'lost';

/** Guacamole status codes that say more than "it is gone". */
const ends: Readonly<Record<number, TunnelEnd>> = {
  514: 'silent',
  515: 'silent',
  520: 'silent',
  521: 'conflict',
  523: 'closed',
  769: 'refused',
  771: 'refused',
};

/**
 * Reads the last status of a tunnel. The gateway may say `opened-elsewhere` in words, since a websocket close reason
 * is free text.
 */
export function tunnelEndOf(
  status: { readonly code: number; readonly message?: string | undefined } | null,
): TunnelEnd {
  if (!status) return 'lost';
  if (status.message?.includes('opened-elsewhere')) return 'conflict';
  return ends[status.code] ?? 'lost';
}
