import { EventEmitter } from 'node:events';
import { type Clock, systemClock } from '#libs/kernel';
import type { GuestAppFailure } from '../guest-apps/guest-apps-report.js';
import { guestPaths } from '../guest-contract.js';
import type { HostCapacity } from '../host.js';
import type { GuestCommand, GuestResult } from '../hypervisor-driver.js';
import type { Machine, MachineExit, MachineExitReason, MachineShape, MachineSpec, MachineUsage } from '../machine.js';
import type { MachineErrorCode } from '../machine-error.js';
import type { GuestMessage, MachineVolume } from '../machine-volume.js';
import { type FakeGuestApps, runFakeGuestApps } from './fake-guest-apps.js';
import { type FakeGuestProfile, type FakeProfileFault, runFakeGuestProfile } from './fake-guest-profile.js';
import { type FakeServedContent, FakeWritableVolume } from './fake-writable-volume.js';

export type FakeCall =
  | 'prepare'
  | 'create'
  | 'waitReady'
  | 'runInGuest'
  | 'fileSystemUsage'
  | 'resizeDisplay'
  | 'attachVolume'
  | 'attachWritableVolume'
  | 'viewVolume'
  | 'closeView'
  | 'detachVolume'
  | 'volumes'
  | 'destroy';

export interface FakeMachine {
  readonly spec: MachineSpec;
  readonly startedAt: Date;
  readonly start: NonNullable<Machine['start']>;
  /** By the host's clock, in milliseconds since the epoch. */
  readonly readyAt: number;
  readonly display: NonNullable<Machine['display']>;
  state: Machine['state'];
  size: { width: number; height: number };
  exitReason?: MachineExitReason;
  /** As if it did not answer when it was adopted. */
  isDoubtful?: boolean;
  /** Set while `destroy` is at it; a driver that starts completes what was cut short. */
  isBeingDestroyed?: boolean;
  /** Aborted when it ends or is destroyed. */
  readonly gone: AbortController;
  /** What it was given, by id. */
  readonly volumes: Map<string, MachineVolume>;
  /** Those of them that it may write, by id. */
  readonly writable: Map<string, FakeWritableVolume>;
  /** What its guest has merged, shows and started. */
  readonly apps: FakeGuestApps;
  /** What its guest does with a profile. */
  readonly profile: FakeGuestProfile;
}

export interface FakeHostOptions {
  /** How long a machine takes to show its waiting screen. Default 0. */
  bootTimeMs?: number;
  /** How long a machine takes to be made. Default 0. */
  createTimeMs?: number;
  /** How long a machine takes to be destroyed. Default 0. */
  destroyTimeMs?: number;
  /** How long a volume takes to be attached. Default 0. */
  attachTimeMs?: number;
  /** How long a guest takes for one command. Default 0. */
  guestTimeMs?: number;
  guestProgram?: FakeHost['guestProgram'];
  /** What all waiting and every date goes by. Default: real time. */
  clock?: Clock;
  /** Whether drivers say that they fork. Default false. */
  forks?: boolean;
}

/**
 * A host in memory. Drivers come and go over the same one as processes do over a real host: its machines outlive them.
 */
export class FakeHost {
  readonly clock: Clock;
  readonly machines = new Map<string, FakeMachine>();
  /** Machines under way: they hold memory already. Left here by a driver that crashed until the next one starts. */
  readonly halfMade = new Map<string, MachineSpec>();
  /** What `prepare` was called with. */
  readonly prepared: ({ imageDigest: string } & MachineShape)[] = [];
  readonly ends = new EventEmitter<{ end: [MachineExit] }>();
  readonly messages = new EventEmitter<{ message: [GuestMessage] }>();
  /** Volumes that were taken away while their guest had them merged: a real one's programs would have read errors. */
  readonly tornVolumes: { machineId: string; volumeId: string }[] = [];
  /** What is wrong with a layer, by the export it comes from. See `breakLayer`. */
  private readonly brokenLayers = new Map<string, GuestAppFailure>();
  /** What is wrong with a profile, by the export it comes from. See `breakProfile`. */
  private readonly brokenProfiles = new Map<string, FakeProfileFault>();
  /** What writable volumes hold that nobody has written yet. Default: zeros. */
  servedContent: FakeServedContent = async (_, __, length) => Buffer.alloc(length);
  /** Whether guests freeze when they are asked to before a view. */
  guestsFreeze = true;
  /** What the host has. The default is far more than tests need that do not ask for less. */
  totals = { vcpus: 8, memoryMiB: 8_388_608, diskMiB: 100_000 };
  /** What each running machine holds, as `usage` tells it. */
  memoryOf: (machine: FakeMachine) => Omit<MachineUsage, 'machineId'> = () => ({
    privateMiB: 40,
    sharedMiB: 160,
    proportionalMiB: 48,
  });
  bootTimeMs: number;
  createTimeMs: number;
  destroyTimeMs: number;
  attachTimeMs: number;
  guestTimeMs: number;
  forks: boolean;
  /** Answers guest commands; the default knows `cat`, `apps` and `profile`, and lets everything else succeed in silence. */
  guestProgram: (machineId: string, command: GuestCommand) => GuestResult | Promise<GuestResult>;
  private readonly failures = new Map<FakeCall, MachineErrorCode[]>();
  private readonly hangs = new Map<FakeCall, number>();
  private nextPort = 15_900;

  constructor(options: FakeHostOptions = {}) {
    this.clock = options.clock ?? systemClock;
    this.bootTimeMs = options.bootTimeMs ?? 0;
    this.createTimeMs = options.createTimeMs ?? 0;
    this.destroyTimeMs = options.destroyTimeMs ?? 0;
    this.attachTimeMs = options.attachTimeMs ?? 0;
    this.guestTimeMs = options.guestTimeMs ?? 0;
    this.forks = options.forks ?? false;
    this.guestProgram = options.guestProgram ?? ((machineId, command) => this.runKnownProgram(machineId, command));
  }

  /** The totals less what machines that run or are being made were promised. */
  get capacity(): HostCapacity {
    let promisedMiB = 0;
    for (const { state, spec } of this.machines.values()) if (state === 'running') promisedMiB += spec.memoryMiB;
    for (const { memoryMiB } of this.halfMade.values()) promisedMiB += memoryMiB;
    const { vcpus, memoryMiB, diskMiB } = this.totals;
    const availableMemoryMiB = Math.max(0, memoryMiB - promisedMiB);
    return { vcpus, memoryMiB, availableMemoryMiB, availableDiskMiB: diskMiB };
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
    if (machine?.state !== 'running' || machine.isBeingDestroyed) return;
    machine.state = 'ended';
    machine.exitReason = reason;
    machine.gone.abort();
    // Its process goes only when it is killed: what its guest wrote is there until `destroy` otherwise.
    if (reason === 'killed') this.loseWritableVolumes(machine);
    this.ends.emit('end', { machineId, reason });
  }

  /** The process of a machine dies that had ended and was kept for its writable volumes. */
  killEndedMachine(machineId: string): void {
    const machine = this.machines.get(machineId);
    if (machine?.state === 'ended') this.loseWritableVolumes(machine);
  }

  /** What a guest's programs write. @throws when the machine has no such volume; RangeError beyond its end */
  async writeToVolume(machineId: string, volumeId: string, offset: number, bytes: Buffer): Promise<void> {
    await this.writableVolume(machineId, volumeId).write(offset, bytes);
  }

  /** What a guest's programs read. @throws as writeToVolume */
  readVolume(machineId: string, volumeId: string, offset: number, length: number): Promise<Buffer> {
    return this.writableVolume(machineId, volumeId).read(offset, length);
  }

  /** A guest writes a line to its port. Nobody hears it while no driver is started. */
  sayFromGuest(machineId: string, text: string): void {
    if (this.machines.get(machineId)?.state === 'running') this.messages.emit('message', { machineId, text });
  }

  /**
   * Has guests find this wrong with layers they have not merged yet; `undefined` for nothing any more.
   * @param exportName what the volume is served as
   */
  breakLayer(exportName: string, reason: GuestAppFailure | undefined): void {
    if (reason) this.brokenLayers.set(exportName, reason);
    else this.brokenLayers.delete(exportName);
  }

  /**
   * Has guests find this wrong with a profile when they open or close it; `undefined` for nothing any more.
   * @param exportName what the volume is served as
   */
  breakProfile(exportName: string, fault: FakeProfileFault | undefined): void {
    if (fault) this.brokenProfiles.set(exportName, fault);
    else this.brokenProfiles.delete(exportName);
  }

  /** What the default `guestProgram` does. */
  runKnownProgram(machineId: string, command: GuestCommand): GuestResult {
    const machine = this.machines.get(machineId);
    if (machine && command.path === guestPaths.apps) {
      const brokenBy = (volumeId: string) => this.brokenLayers.get(machine.volumes.get(volumeId)?.exportName ?? '');
      return runFakeGuestApps(machine.apps, (volumeId) => machine.volumes.has(volumeId), brokenBy, command);
    }
    if (machine && command.path === guestPaths.profile) {
      const faultOf = (volumeId: string) => this.brokenProfiles.get(machine.volumes.get(volumeId)?.exportName ?? '');
      return runFakeGuestProfile(machine.profile, (volumeId) => machine.writable.has(volumeId), faultOf, command);
    }
    return { exitCode: 0, stdout: command.path.endsWith('/cat') ? (command.input ?? '') : '', stderr: '' };
  }

  /** Takes a machine away without a word. */
  removeMachine(machineId: string): void {
    const machine = this.machines.get(machineId);
    machine?.gone.abort();
    if (machine) this.loseWritableVolumes(machine);
    this.machines.delete(machineId);
  }

  /** Clears away what a driver that crashed left half-made or half-destroyed, and the views that it left open. */
  sweep(): void {
    for (const { writable } of this.machines.values()) {
      for (const volume of writable.values()) volume.closeView(undefined, 'dropped');
    }
    this.halfMade.clear();
    for (const [machineId, { isBeingDestroyed }] of this.machines) if (isBeingDestroyed) this.removeMachine(machineId);
  }

  private loseWritableVolumes(machine: FakeMachine): void {
    for (const volume of machine.writable.values()) volume.end();
    machine.writable.clear();
  }

  private writableVolume(machineId: string, volumeId: string): FakeWritableVolume {
    const volume = this.machines.get(machineId)?.writable.get(volumeId);
    if (!volume) throw new Error(`machine ${machineId} has no writable volume ${volumeId}`);
    return volume;
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

/** As the driver tells of it. */
export function toMachine(machine: FakeMachine): Machine {
  const { spec, state, startedAt, start, display, writable } = machine;
  const kept = writable.size > 0 ? { hasWritableVolume: true as const } : {};
  const base = { id: spec.id, state, imageDigest: spec.image.digest, startedAt, start, ...kept };
  const doubt = machine.isDoubtful ? { isDoubtful: true as const } : {};
  return state === 'running' ? { ...base, ...doubt, display } : base;
}
