import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '#libs/config';
import { FakeDriver, FakeHost } from '#libs/hypervisor';
import { ProvisionerModule } from './provisioner.module.js';
import { PROVISIONER_OPTIONS } from './provisioner-options.js';

describe('ProvisionerModule', () => {
  it('keeps as much of profiles as the environment says', () => {
    const config = loadConfig({
      DATABASE_URL: 'postgres://db/goldleaf',
      REDIS_URL: 'redis://cache',
      GOLDLEAF_SECRET_KEY: 'a secret key of the tests, long enough',
      GOLDLEAF_PROFILE_RETENTION: 'last=3,weeks=52',
    });
    const { providers } = ProvisionerModule.register(config, new FakeDriver(new FakeHost()));
    const profileRetention = { last: 3, days: 14, weeks: 52, damagedDays: 30 };
    const useValue = expect.objectContaining({ profileRetention });
    expect(providers).toContainEqual({ provide: PROVISIONER_OPTIONS, useValue });
  });
});
