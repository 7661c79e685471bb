import { randomUUID } from 'node:crypto';
import { describeProfileLeases } from '../profile-leases-conformance.js';
import { MemoryLeaseWorld } from './memory-lease-world.js';
import { MemoryProfileLeases } from './memory-profile-leases.js';

describeProfileLeases('memory', async () => {
  const world = new MemoryLeaseWorld();
  const leases = new MemoryProfileLeases(world);
  return {
    leases,
    addVolume: async () => leases.addVolume(),
    deleteVolume: async (id) => leases.deleteVolume(id),
    addHost: async () => {
      const name = `host-${randomUUID()}`;
      world.addHost(name);
      return name;
    },
    addDesktop: async (host) => world.addDesktop(host),
    moveDesktop: async (id, state) => world.moveDesktop(id, state),
    readFrom: async (volumeId, desktopId, number) => {
      world.readers.push({ volumeId, desktopId, number });
    },
    close: async () => {},
  };
});
