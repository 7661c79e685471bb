import type { HostSituation } from '#libs/fleet';

/** What one more desktop takes of its host until it is ready. */
export interface DesktopShape {
  readonly memoryMib: number;
}

/** Kept free for the host itself: its system, Goldleaf's services, page cache. */
const MEMORY_RESERVE_MIB = 512;
/** Room for the leaf of a desktop that has just been started; it grows with what is written. */
const LEAF_START_MIB = 128;
const DISK_RESERVE_MIB = 1024;

/** Starting a machine is work for the processor: more at once than this only makes each of them slower. */
export const STARTS_PER_VCPU = 2;

/**
 * Chooses hosts for up to `count` new desktops: each goes to the host with the fewest among those that have memory,
 * disk and processor left for one more. What is being made does not show in what a host reported, so it is taken off.
 * @returns names of hosts, one for each desktop that can be made now; fewer than `count` when the hosts are full
 */
export function placeDesktops(hosts: readonly HostSituation[], shape: DesktopShape, count: number): string[] {
  const open = hosts
    .filter(isOpen)
    .map((host) => ({ name: host.name, desktops: host.desktops, room: roomOf(host, shape) }));
  const placed: string[] = [];
  while (placed.length < count) {
    const [next] = open.filter(({ room }) => room > 0).sort((a, b) => a.desktops - b.desktops);
    if (!next) break;
    next.desktops += 1;
    next.room -= 1;
    placed.push(next.name);
  }
  return placed;
}

/** Whether hosts are there, but none with memory and disk for one more: it must be given up somewhere first. */
export function areFull(hosts: readonly HostSituation[], shape: DesktopShape): boolean {
  const open = hosts.filter(isOpen);
  return open.length > 0 && open.every((host) => spaceOn(host, shape) < 1);
}

const isOpen = (host: HostSituation) => host.online && host.mode === 'active';

function roomOf(host: HostSituation, shape: DesktopShape): number {
  const starts = host.vcpus * STARTS_PER_VCPU - host.provisioning;
  return Math.max(0, Math.min(spaceOn(host, shape), starts));
}

function spaceOn(host: HostSituation, { memoryMib }: DesktopShape): number {
  const memory = host.availableMemoryMib - MEMORY_RESERVE_MIB - host.provisioningMemoryMib;
  const disk = host.availableDiskMib - DISK_RESERVE_MIB - host.provisioning * LEAF_START_MIB;
  return Math.min(Math.floor(memory / memoryMib), Math.floor(disk / LEAF_START_MIB));
}
