import { describeFleetStore, type FleetStoreSetup } from '../fleet-store-conformance.js';
import { MemoryFleet } from './memory-fleet.js';
import { MemoryFleetStore } from './memory-fleet-store.js';

/** Each look at it is a little later, as it is in PostgreSQL. */
class TickingClock {
  ms = Date.parse('2026-11-22T00:00:00Z');

  now(): Date {
    this.ms += 1;
    return new Date(this.ms);
  }
}

async function memorySetup(): Promise<FleetStoreSetup> {
  const clock = new TickingClock();
  const fleet = new MemoryFleet({ clock });
  return {
    store: new MemoryFleetStore(fleet),
    addImage: async () => fleet.newId(),
    publish: async (imageId) => fleet.publish(imageId),
    addPool: async (pool) => fleet.addPool(pool).id,
    addHost: async (host) => fleet.reportHost(host),
    advance: async (seconds) => {
      clock.ms += seconds * 1000;
    },
    untilWaiting: async (count) => {
      for (let turn = 0; fleet.lockWaits !== count; turn += 1) {
        if (turn > 1000) throw new Error(`${fleet.lockWaits} wait`);
        await null;
      }
    },
    forceDesktop: async (id, change) => fleet.forceDesktop(id, change),
    forceSession: async (username, poolId) => void fleet.forceSession(username, poolId),
    events: async (id) =>
      fleet.stateEvents
        .filter(({ entityId }) => entityId === id)
        .map(({ fromState, toState, reason }) => `${fromState}>${toState} ${reason}`),
    auditActors: async () => fleet.auditEntries.map(({ actor }) => actor),
    close: async () => undefined,
  };
}

describeFleetStore('memory', memorySetup);
