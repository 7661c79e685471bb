import { LeaseError } from '../../src/leases/lease-error.js';
import { BLOCKS } from './profile-model.js';
import { end, open, report, writeBack } from './provisioner-tasks.js';
import type { RunningTask, SimDesktop, SimHost, SimWorld } from './sim-world.js';
import type { Step, Task } from './step.js';

/** Runs the tasks of all hosts, one step at a time, and does to them what may happen to processes and machines. */
export class Scheduler {
  /** What processes that died had sent off: it arrives at any time. */
  readonly late: Step[] = [];
  refused = 0;

  constructor(readonly world: SimWorld) {}

  start(host: SimHost, name: string, desktop: SimDesktop | null, task: Task): void {
    host.tasks.push({ name, desktop, task, step: null, outcome: null });
  }

  /** One step of one task: it asks for something, or that is done, or it is told what came of it. */
  async advance(host: SimHost, running: RunningTask): Promise<void> {
    if (running.step) {
      running.outcome = await this.perform(running.step);
      running.step = null;
      return;
    }
    try {
      const { value, done } = running.outcome ? running.task.next(running.outcome) : running.task.next();
      running.step = done ? null : (value as Step);
      if (done) host.tasks = host.tasks.filter((other) => other !== running);
    } catch (error) {
      if (!(error instanceof LeaseError)) throw error;
      this.refused += 1;
      host.tasks = host.tasks.filter((other) => other !== running);
    }
  }

  /** Those whose host answers. */
  runnable(): [SimHost, RunningTask][] {
    return this.world.hosts.flatMap((host) =>
      host.isUp
        ? host.tasks.filter(({ step }) => !step || !host.isCutOff).map((each): [SimHost, RunningTask] => [host, each])
        : [],
    );
  }

  /** What its host's reconciler does about a desktop that nothing is done about. */
  attend(desktop: SimDesktop): void {
    const { host, state } = desktop;
    if (!host.isUp || state === 'deleted' || host.tasks.some((each) => each.desktop === desktop)) return;
    const disk = host.machines.get(desktop.id);
    if (state === 'recycling' || disk === undefined) this.start(host, 'end', desktop, end(this.world, desktop));
    else if (disk) this.start(host, 'write-back', desktop, writeBack(this.world, desktop));
    else this.start(host, 'open', desktop, open(this.world, desktop));
  }

  report(host: SimHost): void {
    if (!host.isUp || host.tasks.some(({ name }) => name === 'report')) return;
    this.start(host, 'report', null, report(this.world, host));
  }

  /** kill -9: another process starts at once and knows nothing. */
  killProvisioner(host: SimHost): void {
    for (const { step } of host.tasks) if (step && this.world.random.chance(0.6)) this.late.push(step);
    host.tasks = [];
    host.fences.clear();
  }

  losePower(host: SimHost): void {
    this.killProvisioner(host);
    host.machines.clear();
    host.isUp = false;
  }

  /** A person changes a file. */
  write(): void {
    const { hosts, random } = this.world;
    const disks = hosts.flatMap(({ machines }) => [...machines.values()].filter((disk) => disk && !disk.isClosed));
    if (disks.length === 0) return;
    const disk = random.pick(disks);
    const block = random.below(BLOCKS);
    this.world.writes += 1;
    if (!disk) return;
    disk.blocks[block] = this.world.writes;
    disk.changed.add(block);
  }

  async deliverLate(): Promise<void> {
    const [step] = this.late.splice(this.world.random.below(Math.max(1, this.late.length)), 1);
    if (step) await this.perform(step);
  }

  private async perform(step: Step) {
    try {
      return { value: await step() };
    } catch (error) {
      if (!(error instanceof LeaseError)) throw error;
      return { error };
    }
  }
}
