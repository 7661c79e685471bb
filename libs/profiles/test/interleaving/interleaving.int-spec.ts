import { afterAll, beforeAll, describe, it } from '@jest/globals';
import type { ProfileLeasesSetup } from '../../src/leases/leases-world-conformance.js';
import { postgresLeaseSetup } from '../postgres-lease-setup.js';
import { runInterleaving } from './run-interleaving.js';

describe('interleavings over PostgreSQL', () => {
  let setup: ProfileLeasesSetup;

  beforeAll(async () => {
    setup = await postgresLeaseSetup();
  });

  afterAll(async () => {
    await setup?.close();
  });

  // The thousands are run in memory, which passes the same conformance suite.
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('keep the rules too (%i)', async (seed) => {
    await runInterleaving(seed, setup, 300);
  });
});
