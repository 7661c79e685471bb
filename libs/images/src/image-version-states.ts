import type { ImageVersionState } from '#libs/contracts';
import { defineStateMachine } from '#libs/kernel';

export const imageVersionStates = defineStateMachine<ImageVersionState>('image-version', 'importing', {
  importing: ['validating', 'failed'],
  validating: ['published', 'failed'],
  published: ['retired', 'failed'],
  retired: ['published', 'failed'],
  failed: [],
});
