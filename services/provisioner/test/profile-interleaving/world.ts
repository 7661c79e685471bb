import type { MachineExitReason } from '#libs/hypervisor';
import { BLOCK_BYTES, BLOCKS, numbered } from './blocks.js';
import { Violation } from './oracle.js';
import { SimHost } from './sim-host.js';
import type { Surroundings } from './surroundings.js';
import { volume } from './volume.js';
import type { WatchedHost } from './watched.js';

/** What the trace says when nothing happens but what the world does by itself. */
export const IDLE = 'time goes by';
const ACTS = 200;
const SETTLING_ACTS = 3_000;
const MOST_DESKTOPS = 3;

/** One person, and what can happen to their desktops, the hosts of these, and the volume store. */
export class World {
  isDone = false;
  private readonly hosts: SimHost[];
  private readonly given: Surroundings;
  private desktops = 0;

  constructor(given: Omit<Surroundings, 'isStoreAway' | 'isDatabaseBad' | 'bring' | 'note'>) {
    const bring = (desktopId: string, name: string) => this.host(name)?.open(desktopId);
    const note = (what: string) => given.scheduler.note('world', what);
    this.given = { ...given, isStoreAway: false, isDatabaseBad: false, bring, note };
    this.hosts = ['one', 'two'].map((name) => new SimHost(name, this.given));
  }

  get oracle() {
    return this.given.oracle;
  }

  /** A violation or anything else that goes wrong ends the run. */
  begin(): void {
    this.live().catch((error: unknown) => this.given.scheduler.fail(error));
  }

  /** What dead processes wait for goes. */
  end(): void {
    for (const host of this.hosts) host.end();
  }

  isInUse(id: string): boolean {
    const machine = this.machinesOf(id)?.machines.get(id);
    if (this.given.rows.stateOf(id) !== 'assigned' || machine?.state !== 'running') return false;
    return machine.profile.open !== undefined && machine.writable.size > 0;
  }

  private async live(): Promise<void> {
    const { scheduler } = this.given;
    for (const host of this.hosts) host.start();
    await this.logOn();
    for (let act = 0; act < ACTS; act += 1) {
      await scheduler.turn(null, IDLE);
      await this.happen();
    }
    await this.settle();
    this.isDone = true;
  }

  private async happen(): Promise<void> {
    const { random } = this.given;
    const host = random.pick(this.hosts);
    const chances: readonly (readonly [number, () => Promise<void> | void])[] = [
      [60, () => this.write()],
      [90, () => this.round(host)],
      [24, () => host.start()],
      [14, () => this.logOn()],
      [8, () => this.logOff()],
      [6, () => host.crash()],
      [3, () => this.turn('isStoreAway', true)],
      [15, () => this.turn('isStoreAway', false)],
      [3, () => this.turn('isDatabaseBad', true)],
      [15, () => this.turn('isDatabaseBad', false)],
      [1, () => this.endMachine('killed')],
      [2, () => this.endMachine('guest-poweroff')],
      [4, () => host.pause()],
      [12, () => host.resume()],
      [2, () => host.fence(this.alive())],
      [6, () => host.breakCall()],
    ];
    let left = random.below(chances.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, act] of chances) {
      left -= weight;
      if (left < 0) return act();
    }
  }

  /** Everything is mended, everybody logs off, and somebody logs on. */
  private async settle(): Promise<void> {
    const { scheduler, random } = this.given;
    scheduler.earlyTimer = 0;
    this.turn('isStoreAway', false);
    this.turn('isDatabaseBad', false);
    for (const host of this.hosts) host.mend();
    for (const id of this.alive()) this.given.rows.giveUp(id);
    await this.until(() => this.alive().length === 0, `a desktop is never deleted`);
    const holder = await this.given.leases.holder(volume.id);
    if (holder) throw new Violation(`${holder.desktopId} is deleted and holds the lease`);
    for (const host of this.hosts) await host.liftFence();
    const last = await this.logOn(random.pick(this.hosts));
    const opened = () => this.given.rows.rows.get(last)?.state ?? 'failed';
    await this.until(() => ['ready', 'failed'].includes(opened()), 'the person is locked out');
    if (opened() === 'failed') throw new Violation('the person does not get their profile');
  }

  private async until(isSo: () => boolean, otherwise: string): Promise<void> {
    const { scheduler, random, rows } = this.given;
    for (let act = 0; !isSo(); act += 1) {
      if (act > SETTLING_ACTS) {
        const left = this.alive().map((id) => `${id} ${rows.stateOf(id)} ${rows.rows.get(id)?.state}`);
        throw new Violation(`${otherwise}: ${left.join(', ')}`);
      }
      await scheduler.turn(null, IDLE);
      if (random.chance(0.2)) await this.round(random.pick(this.hosts));
    }
  }

  private alive(): string[] {
    const { rows } = this.given;
    return [...rows.rows.keys()].filter((id) => rows.stateOf(id) !== 'deleted');
  }

  private host(name: string): SimHost | undefined {
    return this.hosts.find((each) => each.name === name);
  }

  private machinesOf(id: string): WatchedHost | undefined {
    return this.host(this.given.rows.rows.get(id)?.host ?? '')?.machines;
  }

  private async logOn(host = this.given.random.pick(this.hosts)): Promise<string> {
    const { rows, random } = this.given;
    if (host.isFenced || this.alive().length >= MOST_DESKTOPS) return '';
    this.desktops += 1;
    const id = `desktop-${this.desktops}`;
    await host.makeMachine(id);
    rows.addDesktop(id, host.name, random.chance(0.1) ? 'erase' : 'keep');
    this.given.note(`${id} is given on ${host.name}`);
    host.open(id);
    return id;
  }

  private logOff(): void {
    const { random, rows } = this.given;
    const ids = this.alive().filter((id) => rows.stateOf(id) === 'assigned');
    if (ids.length === 0) return;
    const id = random.pick(ids);
    this.given.note(`${id} is given up`);
    rows.giveUp(id);
  }

  /** As long as the guest has it mounted, also while it is told to let go. */
  private async write(): Promise<void> {
    const { rows, random, oracle } = this.given;
    const ids = this.alive().filter((id) => {
      const machine = this.machinesOf(id)?.machines.get(id);
      const isIn = ['ready', 'closing'].includes(rows.rows.get(id)?.state ?? '');
      return isIn && machine?.state === 'running' && machine.profile.open;
    });
    const id = ids.length > 0 ? random.pick(ids) : '';
    const [disk] = this.machinesOf(id)?.machines.get(id)?.writable.keys() ?? [];
    if (disk === undefined) return;
    const block = random.below(BLOCKS);
    const number = oracle.write(id, block);
    if (number === undefined) return;
    this.given.note(`${id} writes ${number} to block ${block}`);
    await this.machinesOf(id)?.writeToVolume(id, disk, block * BLOCK_BYTES, numbered(number));
  }

  private async round(host: SimHost): Promise<void> {
    host.round(this.alive());
    await host.liftFence();
  }

  private turn(what: 'isStoreAway' | 'isDatabaseBad', to: boolean): void {
    if (this.given[what] === to) return;
    this.given.note(`${what} is ${to}`);
    if (what === 'isStoreAway' && to) this.given.oracle.counts.outages += 1;
    this.given[what] = to;
  }

  private endMachine(reason: MachineExitReason): void {
    const ids = this.alive();
    if (ids.length === 0) return;
    const id = this.given.random.pick(ids);
    this.given.note(`the machine of ${id} ends: ${reason}`);
    if (reason === 'killed') {
      this.given.oracle.counts.killed += 1;
      this.given.oracle.excuse(id);
      this.machinesOf(id)?.killEndedMachine(id);
    }
    this.machinesOf(id)?.endMachine(id, reason);
    if (this.given.random.chance(0.5)) this.given.rows.giveUp(id);
  }
}
