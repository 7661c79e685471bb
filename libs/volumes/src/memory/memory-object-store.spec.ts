import { describeObjectStore } from '../object-store-conformance.js';
import { MemoryObjectStore } from './memory-object-store.js';

describeObjectStore('memory', async () => {
  const store = new MemoryObjectStore();
  return {
    newStore: () => store,
    settlesRaces: true,
    unreachable: () => Object.assign(new MemoryObjectStore(), { isUnavailable: true }),
    close: async () => undefined,
  };
});
