import { type MachineErrorCode } from '#libs/hypervisor';
import type { Random } from '../engine/random.js';
import type { Tally } from '../report/tally.js';
import { type FaultPlan, noFaults } from './fault-plan.js';

export type DriverCall = 'create' | 'waitReady' | 'destroy' | 'list';
export type DriverFault = { readonly kind: 'error'; readonly code: MachineErrorCode } | { readonly kind: 'hang' };

const codes: Readonly<Record<DriverCall, readonly MachineErrorCode[]>> = {
  create: ['image-missing', 'image-damaged', 'no-space', 'no-memory', 'failed'],
  waitReady: ['not-ready', 'not-found', 'failed', 'guest-unresponsive'],
  destroy: ['failed', 'guest-unresponsive', 'not-found'],
  list: ['failed'],
};

/** Decides by chance, call by call, what goes wrong, until all faults are told to stop. */
export class Faults {
  private current: FaultPlan;

  constructor(
    plan: FaultPlan,
    private readonly random: Random,
    private readonly tally: Tally,
  ) {
    this.current = plan;
  }

  get plan(): FaultPlan {
    return this.current;
  }

  stop(): void {
    this.current = noFaults;
  }

  driver(call: DriverCall): DriverFault | undefined {
    if (this.random.chance(this.plan.driverError)) {
      const code = this.random.pick(codes[call]);
      this.tally.count(`driver error ${call} ${code}`);
      return { kind: 'error', code };
    }
    if (call !== 'list' && this.random.chance(this.plan.driverHang)) {
      this.tally.count(`driver hangs in ${call}`);
      return { kind: 'hang' };
    }
    return undefined;
  }

  driverReplyLost(call: DriverCall): boolean {
    return this.occurs(this.plan.driverReplyLost, `driver reply lost ${call}`);
  }

  statementLost(): boolean {
    return this.occurs(this.plan.statementLost, 'connection lost before a statement');
  }

  commitReplyLost(): boolean {
    return this.occurs(this.plan.commitReplyLost, 'commit reply lost');
  }

  crash(): boolean {
    return this.random.chance(this.plan.crash);
  }

  private occurs(rate: number, what: string): boolean {
    if (!this.random.chance(rate)) return false;
    this.tally.count(what);
    return true;
  }
}
