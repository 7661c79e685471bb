import { describe, expect, it } from '@jest/globals';
import { PackageProgress } from './debian-root.js';

describe('PackageProgress', () => {
  it('goes from what apt announces to what it has done, never beyond its share', () => {
    const told: [string, number][] = [];
    const progress = new PackageProgress((step, fraction) => told.push([step, fraction]));
    progress.take('I: running apt-get update...');
    progress.take('0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.');
    for (const line of [
      'Get:1 http://x',
      'Get:2 http://x',
      'Unpacking a',
      'Unpacking b',
      'Setting up a',
      'Setting up b',
    ]) {
      progress.take(line);
    }
    progress.take('Setting up something more');
    expect(told[0]).toEqual(['fetching package lists', 0.01]);
    const fractions = told.map(([, fraction]) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBeCloseTo(0.7);
  });

  it('notices a missing network and a full disk', () => {
    const progress = new PackageProgress(() => undefined);
    progress.take("E: Failed to fetch http://x/InRelease  Could not resolve 'x'");
    expect([progress.sawNetworkTrouble, progress.sawNoSpace]).toEqual([true, false]);
    progress.take('dpkg-deb: error: ... No space left on device');
    expect(progress.sawNoSpace).toBe(true);
  });
});
