import { describe, expect, it } from '@jest/globals';
import { jobNames } from './job-definitions.js';
import { JobRegistry } from './job-registry.js';

describe('JobRegistry', () => {
  it('fails the boot on a doubled handler', () => {
    const registry = new JobRegistry();
    registry.handle('pool.reconcile', async () => undefined);
    expect(() => registry.handle('pool.reconcile', async () => undefined)).toThrow('two handlers');
  });

  it('fails the boot on a missing handler, and passes when all are there', () => {
    const registry = new JobRegistry();
    for (const name of jobNames.slice(1)) registry.handle(name, async () => undefined);
    expect(() => registry.assertComplete()).toThrow(jobNames[0]);
    registry.handle(jobNames[0]!, async () => undefined);
    registry.assertComplete();
  });
});
