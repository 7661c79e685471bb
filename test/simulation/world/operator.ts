import type { HostMode, PoolMode } from '#libs/contracts';
import type { Pool } from '#libs/fleet';
import type { Random } from '../engine/random.js';
import type { Scheduler } from '../engine/scheduler.js';
import type { Tally } from '../report/tally.js';
import type { DataCentre } from './data-centre.js';
import { IMAGE } from './shape.js';

/** Changes pools, publishes image versions, drains hosts: as the API of the broker does, in one statement each. */
export class Operator {
  constructor(
    private readonly centre: DataCentre,
    private readonly scheduler: Scheduler,
    private readonly random: Random,
    private readonly tally: Tally,
  ) {}

  async act(): Promise<void> {
    const pool = this.random.pick([...this.centre.fleet.pools.values()]);
    const choice = this.random.next();
    if (choice < 0.35) this.resize(pool);
    else if (choice < 0.55) this.publish();
    else if (choice < 0.8) this.setMode(pool, this.random.pick(['active', 'active', 'draining', 'maintenance']));
    else this.setHostMode(this.random.pick(this.centre.hosts).name, this.random.pick(['active', 'draining']));
    await this.centre.outsideJobs().enqueue('pool.reconcile', { poolId: pool.id });
  }

  /** Everything open for use again. */
  reopen(): void {
    for (const pool of this.centre.fleet.pools.values()) if (pool.mode !== 'active') this.setMode(pool, 'active');
    for (const host of this.centre.fleet.hosts.values())
      if (host.mode !== 'active') this.setHostMode(host.name, 'active');
  }

  private resize(pool: Pool): void {
    const max = this.random.between(1, 8);
    const spares = this.random.between(0, Math.min(3, max));
    this.centre.fleet.changePool(pool.id, { spares, max });
    this.centre.inspector.pools.maxChanged(pool.id, max, this.scheduler.steps);
    this.note(`${pool.name} resized`, `${spares} spares of ${max}`);
  }

  private publish(): void {
    this.centre.fleet.publish(IMAGE);
    this.note('publishes', IMAGE);
  }

  private setMode(pool: Pool, mode: PoolMode): void {
    this.centre.fleet.changePool(pool.id, { mode });
    this.centre.inspector.modes.poolChanged(pool.id, mode, this.scheduler.steps);
    this.note(`${pool.name} ${mode}`, '');
  }

  private setHostMode(name: string, mode: HostMode): void {
    if (!this.centre.fleet.hosts.has(name)) return;
    const { lastSeenAt } = this.centre.fleet.hosts.get(name) as { lastSeenAt: Date };
    this.centre.fleet.reportHost({ name, mode, lastSeenAt });
    this.centre.inspector.modes.hostChanged(name, mode, this.scheduler.steps);
    this.note(`${name} ${mode}`, '');
  }

  private note(what: string, about: string): void {
    this.scheduler.note('operator', what, about);
    this.tally.count(`operator: ${what.replace(/pool-\d|host-\w/, 'one').trim()}`);
  }
}
