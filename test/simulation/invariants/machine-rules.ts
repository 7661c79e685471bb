import type { Desktop, MemoryFleet } from '#libs/fleet';
import type { WatchedHost } from '../nodes/watched-host.js';
import type { DesktopRules } from './desktop-rules.js';
import { Violation } from './violation.js';

const lossReasons: readonly (string | null)[] = ['machine-lost', 'guest-reboot', 'guest-poweroff'];

/** One machine in the life of a desktop, on its own host; and nobody loses a desktop whose machine works. */
export class MachineRules {
  constructor(
    private readonly fleet: MemoryFleet,
    private readonly hosts: readonly WatchedHost[],
    private readonly desktops: DesktopRules,
  ) {}

  /** Call for each desktop that a commit changed. */
  changed({ id, host, state, reason }: Desktop): void {
    if (state !== 'recycling' || !lossReasons.includes(reason)) return;
    if (this.hosts.find(({ name }) => name === host)?.runs(id)) {
      throw new Violation('nothing taken that works', `desktop ${id} was given up (${reason}) and its machine runs`);
    }
  }

  made(machineId: string, on: WatchedHost): void {
    const desktop = this.fleet.desktops.rows.get(machineId);
    if (!desktop) throw new Violation('machine of a desktop', `machine ${machineId} is nobody's`);
    if (desktop.host !== on.name)
      throw new Violation('host', `machine ${machineId} of ${desktop.host} is on ${on.name}`);
    for (const host of this.hosts) {
      if (host !== on && host.machines.has(machineId))
        throw new Violation('one machine', `${machineId} is on two hosts`);
    }
    if (this.desktops.wasReady(machineId) || desktop.state === 'deleted') {
      throw new Violation('no machine anew', `desktop ${machineId} is ${desktop.state} and gets another machine`);
    }
  }
}
