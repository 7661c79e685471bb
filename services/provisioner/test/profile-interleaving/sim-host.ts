import { FakeDriver, type MachineImage } from '#libs/hypervisor';
import { ProvisionerProcess } from './provisioner-process.js';
import type { Surroundings } from './surroundings.js';
import { WatchedHost } from './watched.js';

const image: MachineImage = {
  ...{ digest: 'fake', rootDiskPath: '/root.img', kernelPath: '/vmlinuz', initrdPath: '/initrd.img' },
  ...{ rootDiskFormat: 'raw', kernelArguments: '' },
};

/** What drivers are told to fail at. */
const fallible = [
  ...(['viewVolume', 'closeView', 'attachWritableVolume', 'detachVolume', 'runInGuest', 'destroy'] as const),
];

/** A host: its machines, which live on, and its provisioner, which dies and is started again. */
export class SimHost {
  readonly machines: WatchedHost;
  isFenced = false;
  private life: ProvisionerProcess | undefined;
  private readonly lives: ProvisionerProcess[] = [];

  constructor(
    readonly name: string,
    private readonly around: Surroundings,
  ) {
    around.leases.world.addHost(name);
    this.machines = new WatchedHost(around.oracle, { clock: around.clock });
  }

  async makeMachine(id: string): Promise<void> {
    await new FakeDriver(this.machines).create({ id, image, vcpus: 1, memoryMiB: 1, hostname: id });
  }

  start(): void {
    if (this.life) return;
    const name = `${this.name}-${this.lives.length}`;
    this.life = new ProvisionerProcess(name, this.name, this.machines, this.around);
    this.lives.push(this.life);
    this.around.note(`${name} starts`);
    this.life.start();
  }

  open(desktopId: string): void {
    this.life?.open(desktopId);
  }

  round(desktops: readonly string[]): void {
    this.life?.round(this.ownOf(desktops));
  }

  crash(): void {
    if (!this.life) return;
    this.around.oracle.counts.crashes += 1;
    this.around.note(`${this.life.process.name} dies`);
    this.life.crash();
    this.life = undefined;
    if (this.around.random.chance(0.7)) this.start();
  }

  /** It is cut off: what it has sent may arrive, and it does nothing. */
  pause(): void {
    if (this.life?.process.state !== 'running') return;
    this.around.note(`${this.life.process.name} is cut off`);
    this.around.scheduler.pause(this.life.process);
  }

  resume(): void {
    if (this.life?.process.state !== 'paused') return;
    this.around.note(`${this.life.process.name} is back`);
    this.around.scheduler.resume(this.life.process);
  }

  /** IT says so of a host that does not answer. */
  async fence(desktops: readonly string[]): Promise<void> {
    if (this.isFenced || this.life?.process.state === 'running') return;
    const { leases, oracle, rows, note } = this.around;
    note(`${this.name} is fenced off`);
    this.isFenced = true;
    oracle.counts.fenced += 1;
    await leases.fenceHost(this.name);
    for (const id of this.ownOf(desktops)) {
      oracle.excuse(id);
      rows.giveUp(id);
    }
  }

  async liftFence(): Promise<void> {
    if (this.isFenced && (await this.around.leases.liftFence(this.name))) this.isFenced = false;
  }

  /** The next call of some kind fails. */
  breakCall(): void {
    const { random } = this.around;
    this.machines.failNext(random.pick(['failed', 'guest-unresponsive']), random.pick(fallible));
  }

  mend(): void {
    for (const call of fallible) while (this.machines.takeFailure(call));
    this.resume();
    this.start();
  }

  /** What dead processes wait for goes. */
  end(): void {
    for (const life of this.lives) life.end();
  }

  private ownOf(desktops: readonly string[]): string[] {
    return desktops.filter((id) => this.around.rows.rows.get(id)?.host === this.name);
  }
}
