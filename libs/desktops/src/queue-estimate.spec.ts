import { describe, expect, it } from '@jest/globals';
import { estimateWait, type QueueSituation } from './queue-estimate.js';

const nothingKnown: QueueSituation = {
  position: 1,
  provisioning: 0,
  oldestProvisioningSeconds: null,
  meanProvisioningSeconds: null,
  meanReleaseSeconds: null,
};

describe('estimateWait', () => {
  it('says nothing where nothing was measured', () => {
    expect(estimateWait(nothingKnown)).toBeNull();
  });

  it('counts down while a desktop is being made, and never below a second', () => {
    const making = { ...nothingKnown, provisioning: 2, meanProvisioningSeconds: 20 };
    expect(estimateWait({ ...making, oldestProvisioningSeconds: 5 })).toBe(15);
    expect(estimateWait({ ...making, position: 2, oldestProvisioningSeconds: 19 })).toBe(1);
    expect(estimateWait({ ...making, oldestProvisioningSeconds: 90 })).toBe(1);
  });

  it('adds the time in which people ahead give theirs back', () => {
    const full = { ...nothingKnown, meanProvisioningSeconds: 20, meanReleaseSeconds: 60 };
    expect(estimateWait({ ...full, position: 3 })).toBe(20 + 3 * 60);
    expect(estimateWait({ ...full, position: 3, provisioning: 2, oldestProvisioningSeconds: 0 })).toBe(20 + 60);
  });

  it('does not guess how long a full pool stays full', () => {
    expect(estimateWait({ ...nothingKnown, meanProvisioningSeconds: 20, position: 2 })).toBeNull();
  });
});
