import type { AppVersionState } from '#libs/contracts';
import { defineStateMachine } from '#libs/kernel';

/** A damaged version is good again once IT has repaired the store and publishes it anew. */
export const appVersionStates = defineStateMachine<AppVersionState>('app-version', 'published', {
  published: ['withdrawn', 'damaged'],
  withdrawn: ['published', 'damaged'],
  damaged: ['published', 'withdrawn'],
});
