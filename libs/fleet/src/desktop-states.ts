import type { DesktopState } from '#libs/contracts';
import { defineStateMachine } from '#libs/kernel';

/** Nothing leads back: a desktop that ever held a user is recycled, which destroys it. */
export const desktopStates = defineStateMachine<DesktopState>('desktop', 'provisioning', {
  provisioning: ['available', 'recycling', 'quarantined'],
  available: ['assigned', 'recycling', 'quarantined'],
  assigned: ['recycling', 'quarantined'],
  recycling: ['deleted', 'quarantined'],
  quarantined: ['deleted'],
  deleted: [],
});
