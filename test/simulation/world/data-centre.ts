import { MemoryFleet } from '#libs/fleet';
import { NodeClock } from '../engine/node-clock.js';
import type { Random } from '../engine/random.js';
import type { Scheduler } from '../engine/scheduler.js';
import type { SimProcess } from '../engine/sim-process.js';
import type { Faults } from '../faults/faults.js';
import { Inspector } from '../invariants/inspector.js';
import type { Defects } from '../mutations/defects.js';
import { buildDomain, type Domain, type Surroundings } from '../nodes/domain.js';
import { JobDesk } from '../nodes/job-desk.js';
import { Node } from '../nodes/node.js';
import { ObservedStore } from '../nodes/observed-store.js';
import { ProvisionerProcess } from '../nodes/provisioner-process.js';
import { WatchedHost } from '../nodes/watched-host.js';
import { JobQueues } from '../redis/job-queues.js';
import type { Tally } from '../report/tally.js';
import { DESKTOP_MEMORY_MIB, IMAGE, type Shape } from './shape.js';

export interface DataCentreOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly shape: Shape;
  readonly faults: Faults;
  readonly tally: Tally;
  readonly defects: Defects;
}

/** Two brokers, two hosts with a provisioner each, one database, one Redis. */
export class DataCentre {
  readonly fleet: MemoryFleet;
  readonly hosts: readonly WatchedHost[];
  readonly queues: JobQueues;
  readonly inspector: Inspector;
  readonly brokers: readonly Node[];
  readonly provisioners: readonly Node[];
  /** The domain of each broker that is up. */
  private readonly services = new Map<SimProcess, Domain>();
  private readonly stores = new Set<ObservedStore>();
  private readonly worldClock: NodeClock;

  constructor(readonly options: DataCentreOptions) {
    const { scheduler, random, shape, tally, faults, defects } = options;
    this.worldClock = new NodeClock(scheduler, { ms: 0 }, null);
    const ids = random.named('ids');
    this.fleet = new MemoryFleet({ clock: this.worldClock, newId: () => ids.uuid(), without: defects.without });
    this.hosts = ['host-a', 'host-b'].map((name) => this.makeHost(name));
    this.queues = new JobQueues(scheduler, random.named('jobs'), tally);
    this.queues.faults = { lost: faults.plan.jobLost, doubled: faults.plan.jobDoubled, late: faults.plan.jobLate };
    this.inspector = new Inspector(this.fleet, this.hosts, scheduler, tally);
    this.makePools();
    this.brokers = ['broker-1', 'broker-2'].map((name) =>
      this.node(name, async (process, node) => {
        this.services.set(process, buildDomain(this.surroundings(process, node)));
        process.onEnd(() => this.services.delete(process));
      }),
    );
    this.provisioners = this.hosts.map((host) =>
      this.node(host.name, (process, node) => {
        const { reconcileIntervalMs } = shape;
        const around = this.surroundings(process, node);
        const provisioner = new ProvisionerProcess(around, {
          host,
          faults,
          queues: this.queues,
          reconcileIntervalMs,
          defects,
        });
        this.breakStore(around.store, provisioner, defects);
        return provisioner.start();
      }),
    );
  }

  get nodes(): readonly Node[] {
    return [...this.brokers, ...this.provisioners];
  }

  start(): void {
    for (const node of this.nodes) node.start();
  }

  /** The session service of some broker that is up; undefined when none is. */
  serviceOf(broker: Node): Domain | undefined {
    return broker.process ? this.services.get(broker.process) : undefined;
  }

  /** As a restart of PostgreSQL: all that was under way there is undone. */
  dropConnections(): void {
    for (const store of this.stores) store.dropConnections();
  }

  /** A client that never dies and meets no fault: operators, the gateway. */
  outsideJobs(): JobDesk {
    return new JobDesk(this.queues, this.options.scheduler, null);
  }

  private node(name: string, boot: (process: SimProcess, node: Node) => Promise<void>): Node {
    const { scheduler, random, tally } = this.options;
    const node: Node = new Node(name, scheduler, random.named(name), tally, (process) => boot(process, node), 20_000);
    return node;
  }

  private surroundings(process: SimProcess, node: Node): Surroundings {
    const { scheduler, faults, random, tally, defects } = this.options;
    const store = new ObservedStore(this.fleet, process, scheduler, faults, this.inspector, tally, defects);
    this.stores.add(store);
    const lingers = random.named(process.name).chance(0.3);
    process.onEnd(() => {
      // The server may take a while to see that its client is gone; its locks are kept until then.
      const close = () => {
        store.disconnect();
        this.stores.delete(store);
      };
      if (lingers) scheduler.after(null, 8_000, 'database sees a dead client', close);
      else close();
    });
    const clock = new NodeClock(scheduler, node.clockOffset, process);
    return { fleet: this.fleet, store, jobs: new JobDesk(this.queues, scheduler, process), clock, process, scheduler };
  }

  private makeHost(name: string): WatchedHost {
    const { bootTimeMs, createTimeMs, destroyTimeMs, hostMemoryMiB } = this.options.shape;
    const times = { bootTimeMs, createTimeMs, destroyTimeMs };
    const host = new WatchedHost(name, { ...times, clock: this.worldClock, forks: true });
    host.totals = { vcpus: 4, memoryMiB: hostMemoryMiB, diskMiB: 100_000 };
    return host;
  }

  private makePools(): void {
    this.fleet.publish(IMAGE);
    for (const [index, pool] of this.options.shape.pools.entries()) {
      const added = this.fleet.addPool({
        ...pool,
        name: `pool-${index + 1}`,
        imageId: IMAGE,
        memoryMib: DESKTOP_MEMORY_MIB,
      });
      this.inspector.pools.maxChanged(added.id, added.max, -1);
    }
  }

  private breakStore(store: ObservedStore, provisioner: ProvisionerProcess, defects: Defects): void {
    if (defects.neverStuck) store.stuckDesktops = async () => [];
    if (defects.neverOrphaned) store.existingDesktops = async (ids) => new Set(ids);
    if (!defects.listsEarlier) return;
    const { desktopsOfHost } = store;
    store.desktopsOfHost = async (host) => {
      await provisioner.lookAhead();
      return desktopsOfHost(host);
    };
  }
}
