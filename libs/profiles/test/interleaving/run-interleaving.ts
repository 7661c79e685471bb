import { Random } from '../../../../test/simulation/engine/random.js';
import type { ProfileLeasesSetup } from '../../src/leases/leases-world-conformance.js';
import { ProfileModel, Violation } from './profile-model.js';
import { discard, restore, retain } from './provisioner-tasks.js';
import { Scheduler } from './scheduler.js';
import { checkWriters, moveDesktop, type SimDesktop, SimHost, type SimWorld } from './sim-world.js';

const MOST_DESKTOPS = 3;
const SETTLING_STEPS = 4_000;

/** How much of what a seed is about has happened. */
export interface Interleaved {
  readonly commits: number;
  readonly restores: number;
  readonly discards: number;
  readonly refused: number;
  readonly fenced: number;
}

/**
 * One person, three hosts, and everything that can happen to them in an order that the seed decides; then all that is
 * broken is mended, and the person must be able to log on to what was committed last.
 * @throws Violation naming the seed and the step
 */
export async function runInterleaving(seed: number, setup: ProfileLeasesSetup, steps: number): Promise<Interleaved> {
  const run = new Run(setup, await newSimWorld(seed, setup));
  let step = 0;
  try {
    for (; step < steps; step += 1) {
      await run.happen();
      await run.check();
    }
    await run.settle();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    throw new Violation(`seed ${seed}, step ${step}: ${error.message}`, { cause: error });
  }
  const { commits, restores, discards } = run.world.model;
  return { commits, restores, discards, refused: run.scheduler.refused, fenced: run.fenced };
}

async function newSimWorld(seed: number, setup: ProfileLeasesSetup): Promise<SimWorld> {
  const hosts = [];
  for (let count = 0; count < 3; count += 1) hosts.push(new SimHost(await setup.addHost()));
  const random = new Random(seed, 'profiles');
  const volumeId = await setup.addVolume();
  return { setup, random, volumeId, hosts, model: new ProfileModel(), desktops: [], writes: 0 };
}

class Run {
  readonly scheduler: Scheduler;
  fenced = 0;

  constructor(
    private readonly setup: ProfileLeasesSetup,
    readonly world: SimWorld,
  ) {
    this.scheduler = new Scheduler(world);
  }

  async happen(): Promise<void> {
    const { random, hosts } = this.world;
    const runnable = this.scheduler.runnable();
    const host = random.pick(hosts);
    if (runnable.length > 0 && random.chance(0.65)) return this.scheduler.advance(...random.pick(runnable));
    if (random.chance(0.3)) return this.scheduler.write();
    const live = this.world.desktops.filter(({ state }) => state !== 'deleted');
    if (live.length > 0 && random.chance(0.4)) return this.scheduler.attend(random.pick(live));
    if (random.chance(0.15)) return this.scheduler.deliverLate();
    const events: readonly (() => Promise<void> | void)[] = [
      () => this.logOn(host),
      () => this.logOn(host),
      () => this.logOff(random.pick([...live, null])),
      () => this.scheduler.killProvisioner(host),
      () => this.scheduler.killProvisioner(host),
      () => void host.machines.delete(random.pick([...host.machines.keys(), ''])),
      () => (random.chance(0.4) ? this.scheduler.losePower(host) : undefined),
      () => (random.chance(0.5) ? this.fence(host) : undefined),
      () => {
        host.isUp = true;
      },
      () => {
        host.isCutOff = random.chance(0.3);
      },
      () => this.scheduler.report(host),
      () => this.scheduler.start(host, 'retain', null, retain(this.world)),
      () => this.scheduler.start(host, 'restore', null, restore(this.world)),
      () => this.scheduler.start(host, 'discard', null, discard(this.world)),
      () => this.corrupt(),
    ];
    await random.pick(events)();
  }

  async check(): Promise<void> {
    checkWriters(this.world);
    this.world.model.checkNewest(await this.setup.leases.newest(this.world.volumeId));
  }

  /** Everything is mended: hosts come back or are fenced off, and everybody logs off. */
  async settle(): Promise<void> {
    const { hosts, random, desktops } = this.world;
    for (const host of hosts) {
      if (!host.isUp && random.chance(0.5)) await this.fence(host);
      else host.isUp = true;
      host.isCutOff = false;
    }
    while (this.scheduler.late.length > 0) await this.scheduler.deliverLate();
    for (let step = 0; ; step += 1) {
      const live = desktops.filter(({ state, host }) => state !== 'deleted' && host.isUp);
      const runnable = this.scheduler.runnable();
      if (live.length === 0 && runnable.length === 0) break;
      if (step > SETTLING_STEPS) throw new Violation('nothing comes to rest');
      if (runnable.length > 0) await this.scheduler.advance(...random.pick(runnable));
      else for (const desktop of live) await this.logOff(desktop).then(() => this.scheduler.attend(desktop));
      if (step % 50 === 0) for (const host of hosts) this.scheduler.report(host);
      await this.check();
    }
    await this.logOnAtLast();
  }

  private async logOnAtLast(): Promise<void> {
    const host = new SimHost(await this.setup.addHost());
    this.world.hosts.push(host);
    const desktop = await this.addDesktop(host);
    for (let step = 0; step < 300 && !host.machines.get(desktop.id); step += 1) {
      this.scheduler.attend(desktop);
      for (const running of [...host.tasks]) await this.scheduler.advance(host, running);
      await this.check();
    }
    const disk = host.machines.get(desktop.id);
    if (!disk) throw new Violation('the person is locked out for ever');
    const newest = this.world.model.newest();
    if (JSON.stringify(disk.blocks) !== JSON.stringify(newest?.content)) {
      throw new Violation(`the person gets ${disk.blocks} instead of ${newest?.content}`);
    }
  }

  private async logOn(host: SimHost): Promise<void> {
    const live = this.world.desktops.filter(({ state, host: on }) => state !== 'deleted' && !on.isFenced);
    if (host.isUp && !host.isCutOff && live.length < MOST_DESKTOPS) await this.addDesktop(host);
  }

  private async addDesktop(host: SimHost): Promise<SimDesktop> {
    const desktop: SimDesktop = {
      id: await this.setup.addDesktop(host.name),
      host,
      state: 'assigned',
      isUnwanted: this.world.random.chance(0.4),
    };
    host.machines.set(desktop.id, null);
    this.world.desktops.push(desktop);
    return desktop;
  }

  private async logOff(desktop: SimDesktop | null): Promise<void> {
    if (desktop?.state === 'assigned') await moveDesktop(this.world, desktop, 'recycling');
  }

  /** IT says so only of hosts that are dead or cut off. */
  private async fence(host: SimHost): Promise<void> {
    if (host.isUp && !host.isCutOff) return;
    host.isFenced = true;
    this.fenced += 1;
    await this.setup.leases.fenceHost(host.name);
  }

  private async corrupt(): Promise<void> {
    const isServed = this.world.hosts.some(({ machines }) => [...machines.values()].some((disk) => disk));
    if (!isServed && !(await this.setup.leases.holder(this.world.volumeId))) this.world.model.corruptNewest();
  }
}
