import { describe, expect, it } from '@jest/globals';
import type { HostSituation } from '#libs/fleet';
import { areFull, placeDesktops } from './place-desktops.js';

const host = (name: string, change: Partial<HostSituation> = {}): HostSituation => ({
  name,
  mode: 'active',
  online: true,
  vcpus: 8,
  availableMemoryMib: 64_000,
  availableDiskMib: 64_000,
  desktops: 0,
  provisioning: 0,
  provisioningMemoryMib: 0,
  ...change,
});

describe('placeDesktops', () => {
  it('spreads desktops: each to the host that has the fewest', () => {
    const hosts = [host('a', { desktops: 2 }), host('b')];
    expect(placeDesktops(hosts, { memoryMib: 1024 }, 4)).toEqual(['b', 'b', 'a', 'b']);
  });

  it('leaves out hosts that are silent or draining', () => {
    const hosts = [host('a', { online: false }), host('b', { mode: 'draining' })];
    expect(placeDesktops(hosts, { memoryMib: 1024 }, 1)).toEqual([]);
  });

  it('makes no more than the memory left holds, also counting what is being made', () => {
    const tight = { availableMemoryMib: 512 + 4 * 1024, provisioning: 1, provisioningMemoryMib: 1024 };
    expect(placeDesktops([host('a', tight)], { memoryMib: 1024 }, 10)).toHaveLength(3);
  });

  it('makes no more than the disk has room for', () => {
    expect(placeDesktops([host('a', { availableDiskMib: 1024 + 128 * 2 })], { memoryMib: 1 }, 10)).toHaveLength(2);
    expect(placeDesktops([host('a', { availableDiskMib: 10 })], { memoryMib: 1 }, 10)).toEqual([]);
  });

  it('starts no more at once than the processors can', () => {
    expect(placeDesktops([host('a', { vcpus: 2, provisioning: 1 })], { memoryMib: 1 }, 10)).toHaveLength(3);
  });
});

describe('areFull', () => {
  const full = host('a', { availableMemoryMib: 1024 });

  it('when no host that is there has space for one more', () => {
    expect(areFull([full, host('b', { online: false })], { memoryMib: 1024 })).toBe(true);
    expect(areFull([full, host('b')], { memoryMib: 1024 })).toBe(false);
  });

  it('not while processors are busy, nor when no host is there', () => {
    expect(areFull([host('a', { vcpus: 1, provisioning: 2 })], { memoryMib: 1024 })).toBe(false);
    expect(areFull([], { memoryMib: 1024 })).toBe(false);
  });
});
