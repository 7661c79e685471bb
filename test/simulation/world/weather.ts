import type { MachineExitReason } from '#libs/hypervisor';
import type { Random } from '../engine/random.js';
import type { Scheduler } from '../engine/scheduler.js';
import type { Faults } from '../faults/faults.js';
import type { WatchedHost } from '../nodes/watched-host.js';
import type { Tally } from '../report/tally.js';
import type { DataCentre } from './data-centre.js';
import type { Operator } from './operator.js';

const reasons: readonly MachineExitReason[] = ['killed', 'guest-reboot', 'guest-poweroff'];

/** What befalls the data centre from outside, each at its own rate, until `isOver`. */
export class Weather {
  constructor(
    private readonly centre: DataCentre,
    private readonly operator: Operator,
    private readonly scheduler: Scheduler,
    private readonly random: Random,
    private readonly faults: Faults,
    private readonly tally: Tally,
  ) {}

  begin(isOver: () => boolean): void {
    const { plan } = this.faults;
    const { centre, random } = this;
    const again = (everyMs: number, what: string, happen: () => void) => {
      if (everyMs > 0) void this.repeat(everyMs, what, happen, isOver);
    };
    again(plan.machineEndsEveryMs, 'machine ends', () => this.endMachine());
    again(plan.hostRestartsEveryMs, 'host restarts', () => this.restartHost());
    again(plan.redisLeavesEveryMs, 'Redis leaves', () => this.loseRedis());
    again(plan.databaseRestartsEveryMs, 'database restarts', () => centre.dropConnections());
    again(plan.clockJumpsEveryMs, 'clock jumps', () => this.jumpClock());
    again(plan.pauseEveryMs, 'process stands still', () =>
      random.pick(centre.nodes).pause(random.between(500, 14_000)),
    );
    again(plan.jobStallsEveryMs, 'job stalls', () => void centre.queues.stallOne());
    again(plan.operatorActsEveryMs, 'operator acts', () => void this.operator.act());
  }

  private async repeat(everyMs: number, what: string, happen: () => void, isOver: () => boolean): Promise<void> {
    for (;;) {
      await this.scheduler.sleep(null, this.random.waitFor(everyMs), what);
      if (isOver()) return;
      this.tally.count(what);
      happen();
    }
  }

  private endMachine(): void {
    const host = this.random.pick(this.centre.hosts);
    const running = [...host.machines.values()].filter(({ state }) => state === 'running');
    const machine = running.length > 0 ? this.random.pick(running) : undefined;
    if (!machine) return;
    if (this.random.chance(0.1)) {
      this.tally.count('stray machine turns up');
      host.addStray(this.random.uuid(), machine);
    } else this.end(host, machine.spec.id);
  }

  private end(host: WatchedHost, machineId: string): void {
    // Now and then it is gone without a word.
    if (this.random.chance(0.1)) {
      this.scheduler.note(host.name, 'machine vanishes', machineId);
      host.removeMachine(machineId);
      return;
    }
    const reason = this.random.pick(reasons);
    this.scheduler.note(host.name, `machine ends: ${reason}`, machineId);
    host.endMachine(machineId, reason);
  }

  private restartHost(): void {
    const index = this.random.below(this.centre.hosts.length);
    const host = this.centre.hosts[index];
    const node = this.centre.provisioners[index];
    if (!host || !node) return;
    node.crash('host restarts');
    const isWiped = this.random.chance(0.5);
    for (const machineId of [...host.machines.keys()]) {
      if (isWiped) host.removeMachine(machineId);
      else host.endMachine(machineId, 'killed');
    }
  }

  private loseRedis(): void {
    const { queues } = this.centre;
    if (queues.isAway) return;
    queues.leave();
    const isEmpty = this.random.chance(0.6);
    this.scheduler.after(null, this.random.between(200, 15_000), 'Redis is back', () => {
      this.tally.count(isEmpty ? 'Redis came back empty' : 'Redis came back');
      queues.comeBack(isEmpty);
    });
  }

  private jumpClock(): void {
    const node = this.random.pick(this.centre.nodes);
    node.clockOffset.ms += this.random.between(-600_000, 600_000);
    this.scheduler.note(node.name, 'clock jumps', `${node.clockOffset.ms} ms off`);
  }
}
