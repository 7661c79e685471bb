import type { PortalState } from '../state/portal-state.js';
import { isConnectable, type LinkState } from './link-state.js';

/** What lies over the desktop, if anything. The desktop is never hidden without a word why. */
export type OverlayKind = 'none' | 'logon' | 'preparing' | 'reconnecting' | 'conflict' | 'logging-off' | 'failure';

/** `pictureKept`: the last picture of the present desktop is still on the screen. */
export function overlayKindOf(
  state: Pick<PortalState, 'failure' | 'pending' | 'session' | 'drawn'>,
  link: LinkState,
  pictureKept: boolean,
): OverlayKind {
  if (state.failure !== null) return 'failure';
  if (state.pending === 'log-off') return 'logging-off';
  if (state.pending === 'restart') return 'preparing';
  if (link.kind === 'conflict') return 'conflict';
  if (!state.drawn) return 'logon';
  if (!isConnectable(state.session)) return 'preparing';
  if (link.kind === 'connected') return 'none';
  return pictureKept ? 'reconnecting' : 'preparing';
}
