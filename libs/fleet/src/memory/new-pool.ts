import type { Pool } from '../pool.entity.js';

/** A pool of small desktops, as far as not told otherwise. */
export function newPool(newId: () => string, pool: Partial<Pool> & Pick<Pool, 'name' | 'imageId'>): Pool {
  return {
    id: pool.id ?? newId(),
    displayName: pool.name,
    description: '',
    roles: ['staff'],
    spares: 2,
    max: 10,
    vcpus: 1,
    memoryMib: 512,
    mode: 'active',
    disconnectTimeoutMinutes: 30,
    profile: null,
    ...pool,
  };
}
