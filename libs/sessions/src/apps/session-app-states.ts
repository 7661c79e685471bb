import type { SessionAppState } from '#libs/contracts';
import { defineStateMachine } from '#libs/kernel';

/**
 * An application on a desktop. `waiting` is entered again when it is to have another version or mode, and when an
 * attempt broke off. An application that is taken from its desktop has no row any more.
 */
export const sessionAppStates = defineStateMachine<SessionAppState>('session-app', 'waiting', {
  waiting: ['attaching', 'on-demand', 'failed'],
  attaching: ['ready', 'waiting', 'failed'],
  ready: ['waiting', 'failed'],
  'on-demand': ['waiting', 'attaching', 'failed'],
  failed: ['waiting', 'attaching'],
});
