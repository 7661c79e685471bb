import type { PoolSummary } from '#libs/contracts';

export const alice = { username: 'alice', displayName: 'Alice Adams', roles: ['call-center'] };

/** What alice may use. */
export const callCenter = (): PoolSummary[] => [
  {
    name: 'call-center',
    displayName: 'Call centre',
    description: 'Telephony and office applications.',
    available: 2,
    hasProfile: true,
  },
];
