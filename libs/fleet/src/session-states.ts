import type { SessionState } from '#libs/contracts';
import { defineStateMachine } from '#libs/kernel';

/** `preparing` is entered again whenever the session loses its desktop: by recycle, reboot, power-off or a fault. */
export const sessionStates = defineStateMachine<SessionState>('session', 'pending', {
  pending: ['preparing', 'ending', 'failed'],
  preparing: ['ready', 'ending', 'failed'],
  ready: ['active', 'preparing', 'ending', 'failed'],
  active: ['disconnected', 'preparing', 'ending', 'failed'],
  disconnected: ['active', 'preparing', 'ending', 'failed'],
  ending: ['ended', 'failed'],
  ended: [],
  failed: [],
});

/** States in which the session has a desktop that may be shown. */
export const SHOWABLE: readonly SessionState[] = ['ready', 'active', 'disconnected'];

/** States in which the session may still become or be of use. */
export const LIVE: readonly SessionState[] = ['pending', 'preparing', 'ready', 'active', 'disconnected'];
