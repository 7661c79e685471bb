import type { HypervisorDriver } from '#libs/hypervisor';
import type { ManualClock } from '#libs/kernel';
import type { ProfileLeases } from '#libs/profiles';
import type { MemoryObjectStore } from '#libs/volumes';
import type { Random } from '../../../../test/simulation/engine/random.js';
import type { Scheduler } from '../../../../test/simulation/engine/scheduler.js';
import type { ProfileWriter } from '../../src/profiles/profile-writer.js';
import type { MemoryRows } from './memory-rows.js';
import type { Oracle } from './oracle.js';
import type { WatchedLeases } from './watched.js';

/** What is outside of all processes. */
export interface Surroundings {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly clock: ManualClock;
  readonly oracle: Oracle;
  readonly rows: MemoryRows;
  readonly leases: WatchedLeases;
  readonly objects: MemoryObjectStore;
  /** The volume store does not answer. */
  isStoreAway: boolean;
  /** Its connections break now and then. */
  isDatabaseBad: boolean;
  /** Has a job done that a process queued. */
  bring: (desktopId: string, host: string) => void;
  /** Tells the trace of what happens to a process, not in it. */
  note: (what: string) => void;
  /** A part that is broken on purpose. */
  readonly breakage: Breakage;
}

export interface Breakage {
  readonly writer?: (writer: ProfileWriter, leases: ProfileLeases) => ProfileWriter;
  readonly driver?: (driver: HypervisorDriver) => HypervisorDriver;
  readonly leases?: (leases: ProfileLeases) => ProfileLeases;
}
