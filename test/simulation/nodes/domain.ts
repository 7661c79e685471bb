import { DesktopLifecycle, DisplaySeal, PoolController } from '#libs/desktops';
import type { MemoryFleet } from '#libs/fleet';
import {
  AppJobs,
  SessionAllocator,
  SessionEnding,
  SessionExpiry,
  SessionMoves,
  SessionOpening,
  SessionQueries,
  SessionReplacement,
  SessionService,
} from '#libs/sessions';
import { type Metrics, silentLogger } from '#libs/telemetry';
import type { NodeClock } from '../engine/node-clock.js';
import type { Scheduler } from '../engine/scheduler.js';
import type { SimProcess } from '../engine/sim-process.js';
import type { JobDesk } from './job-desk.js';
import type { ObservedStore } from './observed-store.js';
import { standIn } from './stand-in.js';

export const logger = silentLogger();

const nothing = () => undefined;
const instrument = { observe: nothing, set: nothing, inc: nothing };
const makers = new Set<string | symbol>(['counter', 'gauge', 'histogram']);

/** Counts nothing. */
export const metrics = new Proxy(standIn<Metrics>({}), {
  get: (_, name) => (makers.has(name) ? () => instrument : instrument),
});

/** Sealing costs time and shows nothing here. */
const seal = standIn<DisplaySeal>({ seal: (password) => password, open: (sealed) => sealed });

/** What one process reaches the world through. */
export interface Surroundings {
  readonly fleet: MemoryFleet;
  readonly store: ObservedStore;
  readonly jobs: JobDesk;
  readonly clock: NodeClock;
  readonly process: SimProcess;
  readonly scheduler: Scheduler;
}

/** The real classes of libs/desktops and libs/sessions, as one process holds them. */
export function buildDomain({ fleet, store, jobs, clock, process, scheduler }: Surroundings) {
  // A lost message does no harm: whoever hears one reads the rows.
  const bus = { publish: async () => undefined };
  const queries = standIn<SessionQueries>({
    view: async (_username, id) => {
      await scheduler.turn(process, 'view');
      const session = fleet.sessions.rows.get(id);
      return { id, state: session?.state } as Awaited<ReturnType<SessionQueries['view']>>;
    },
  });
  const lifecycle = new DesktopLifecycle(store, jobs, bus, seal);
  const moves = new SessionMoves(store, bus);
  const allocator = new SessionAllocator(store, moves, new AppJobs(store, jobs), jobs, metrics, clock);
  const replacement = new SessionReplacement(store, lifecycle, moves, allocator, clock);
  const opening = new SessionOpening(store, moves);
  const ending = new SessionEnding(store, lifecycle, moves);
  // The model knows no applications.
  const starts = { request: async () => false };
  const sessions = new SessionService(
    store,
    queries,
    opening,
    ending,
    allocator,
    replacement,
    lifecycle,
    starts,
    jobs,
    clock,
  );
  const pools = new PoolController(store, lifecycle, jobs, logger);
  const expiry = new SessionExpiry(store, sessions, moves);
  return { lifecycle, allocator, replacement, sessions, pools, expiry };
}

export type Domain = ReturnType<typeof buildDomain>;
