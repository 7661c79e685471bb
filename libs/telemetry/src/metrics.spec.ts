import { describe, expect, it } from '@jest/globals';
import { Metrics } from './metrics.js';

describe('Metrics', () => {
  it('writes its series under goldleaf_ and keeps instances apart', async () => {
    const metrics = new Metrics();
    metrics.logonPhaseSeconds.observe({ phase: 'prepare', pool: 'call-center' }, 0.3);
    metrics.poolDesktops.set({ pool: 'call-center', state: 'available' }, 2);
    const text = await metrics.registry.metrics();
    expect(text).toContain('goldleaf_logon_phase_seconds_bucket{le="0.5",phase="prepare",pool="call-center"} 1');
    expect(text).toContain('goldleaf_pool_desktops{pool="call-center",state="available"} 2');
    expect(await new Metrics().registry.metrics()).not.toContain('call-center');
  });
});
