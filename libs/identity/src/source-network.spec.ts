import { describe, expect, it } from '@jest/globals';
import { sourceNetwork } from './source-network.js';

describe('sourceNetwork', () => {
  it('groups what one party has', () => {
    expect(sourceNetwork('192.0.2.7')).toBe('192.0.2.7');
    expect(sourceNetwork('::ffff:192.0.2.7')).toBe('192.0.2.7');
    for (const address of ['2001:db8:0:1::7', '2001:DB8::1:a:b:c:d', '2001:0db8:0000:0001:ffff:0:0:1']) {
      expect(sourceNetwork(address)).toBe('2001:db8:0:1::/64');
    }
    expect(sourceNetwork('2001:db8:0:2::7')).not.toBe(sourceNetwork('2001:db8:0:1::7'));
    expect(sourceNetwork('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
    expect(sourceNetwork('::1')).toBe('0:0:0:0::/64');
    for (const address of [undefined, '', 'nonsense']) expect(sourceNetwork(address)).toBe('unknown');
  });
});
