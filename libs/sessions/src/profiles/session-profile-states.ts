import type { DesktopState, SessionProfileState } from '#libs/contracts';
import { defineStateMachine } from '#libs/kernel';

/**
 * The profile on one desktop. `waiting` is entered again when an attempt broke off before the machine had it. A profile
 * that `failed` does not come later: the person is at work without it. One that was open fails when nothing of it can be
 * kept any more.
 */
export const sessionProfileStates = defineStateMachine<SessionProfileState>('session-profile', 'waiting', {
  waiting: ['opening', 'ready', 'failed', 'closing', 'closed'],
  opening: ['waiting', 'ready', 'failed', 'closing', 'closed'],
  ready: ['failed', 'closing', 'closed'],
  failed: ['closing', 'closed'],
  closing: ['closed'],
  closed: [],
});

/** Whether a provisioner's report of a state is taken; of a desktop that was given up only `closing` and `closed` are. */
export function mayReport(
  { state, desktopState }: { readonly state: SessionProfileState; readonly desktopState: DesktopState },
  to: SessionProfileState,
): boolean {
  if (desktopState !== 'assigned' && to !== 'closing' && to !== 'closed') return false;
  return state === to || sessionProfileStates.canMove(state, to);
}
