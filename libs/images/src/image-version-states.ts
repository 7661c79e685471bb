import type { ImageVersionState } from '#libs/contracts';
import { defineStateMachine } from '#libs/kernel';

/**
 * `importing`: being written to the volume store. `validating`: in the store; hosts make their copies and prepare to fork
 * machines of it. `published`: new desktops start from it; one of an image at most. `retired`: another one does.
 */
export const imageVersionStates = defineStateMachine<ImageVersionState>('image-version', 'importing', {
  importing: ['validating', 'failed'],
  validating: ['published', 'retired', 'failed'],
  published: ['retired', 'failed'],
  retired: ['published', 'validating', 'failed'],
  failed: ['importing', 'validating'],
});
