import { EventEmitter } from 'node:events';
import type { HostCapacity } from '../host.js';
import type { GuestCommand, GuestResult } from '../hypervisor-driver.js';
import type { Machine, MachineExit, MachineExitReason, MachineShape, MachineSpec } from '../machine.js';
import type { MachineErrorCode } from '../machine-error.js';

export type FakeCall = 'prepare' | 'create' | 'waitReady' | 'runInGuest' | 'resizeDisplay' | 'destroy';

export interface FakeMachine {
  readonly spec: MachineSpec;
  readonly startedAt: Date;
  readonly readyAt: number;
  readonly display: NonNullable<Machine['display']>;
  state: Machine['state'];
  size: { width: number; height: number };
  exitReason?: MachineExitReason;
}

/**
 * A host in memory. Drivers come and go over the same one as processes do over a real host: its machines outlive them.
 */
export class FakeHost {
  readonly machines = new Map<string, FakeMachine>();
  /** What `prepare` was called with. */
  readonly prepared: ({ imageDigest: string } & MachineShape)[] = [];
  readonly ends = new EventEmitter<{ end: [MachineExit] }>();
  capacity: HostCapacity = { vcpus: 8, memoryMiB: 32_768, availableMemoryMiB: 16_384, availableDiskMiB: 100_000 };
  /** How long a machine takes to show its waiting screen. */
  bootTimeMs: number;
  /** Answers guest commands; the default knows `cat` and lets everything else succeed in silence. */
  guestProgram: (machineId: string, command: GuestCommand) => GuestResult | Promise<GuestResult>;
  private readonly failures = new Map<FakeCall, MachineErrorCode[]>();
  private readonly hangs = new Map<FakeCall, number>();
  private nextPort = 15_900;

  constructor(options: { bootTimeMs?: number; guestProgram?: FakeHost['guestProgram'] } = {}) {
    this.bootTimeMs = options.bootTimeMs ?? 0;
    this.guestProgram =
      options.guestProgram ??
      ((_, command) => ({
        exitCode: 0,
        stdout: command.path.endsWith('/cat') ? (command.input ?? '') : '',
        stderr: '',
      }));
  }

  /** Makes the next call of this kind fail with the code. */
  failNext(code: MachineErrorCode, call: FakeCall = 'create'): void {
    this.failures.set(call, [...(this.failures.get(call) ?? []), code]);
  }

  /** Makes the next call of this kind wait until its signal aborts it (or its own deadline passes). */
  hangNext(call: FakeCall): void {
    this.hangs.set(call, (this.hangs.get(call) ?? 0) + 1);
  }

  /** Ends a machine as its guest or a fault would. Unknown or ended machines are left as they are. */
  endMachine(machineId: string, reason: MachineExitReason): void {
    const machine = this.machines.get(machineId);
    if (machine?.state !== 'running') return;
    machine.state = 'ended';
    machine.exitReason = reason;
    this.ends.emit('end', { machineId, reason });
  }

  takeFailure(call: FakeCall): MachineErrorCode | undefined {
    return this.failures.get(call)?.shift();
  }

  takeHang(call: FakeCall): boolean {
    const left = this.hangs.get(call) ?? 0;
    if (left > 0) this.hangs.set(call, left - 1);
    return left > 0;
  }

  takePort(): number {
    return this.nextPort++;
  }
}
