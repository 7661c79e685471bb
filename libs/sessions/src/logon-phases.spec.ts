import { describe, expect, it } from '@jest/globals';
import { beginPhase, endPhase, phaseSeconds } from './logon-phases.js';

const at = (ms: number) => new Date(Date.UTC(2026, 0, 1) + ms);

describe('logon phases', () => {
  it('measures a phase once', () => {
    const begun = beginPhase([], 'allocate', at(0));
    expect(phaseSeconds(begun, 'allocate')).toBeUndefined();
    const ended = endPhase(begun, 'allocate', at(250));
    expect(phaseSeconds(ended, 'allocate')).toBe(0.25);
    expect(endPhase(ended, 'allocate', at(9_000))).toEqual(ended);
  });

  it('never shows a negative duration when the clock jumps back', () => {
    expect(phaseSeconds(endPhase(beginPhase([], 'connect', at(500)), 'connect', at(0)), 'connect')).toBe(0);
  });
});
