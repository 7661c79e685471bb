import type { MemoryFleet } from '#libs/fleet';
import type { WatchedHost } from '../nodes/watched-host.js';
import type { DesktopRules } from './desktop-rules.js';
import { Violation } from './violation.js';

/** What holds of every machine at the moment it is made: one machine in the life of a desktop, on its own host. */
export class MachineRules {
  constructor(
    private readonly fleet: MemoryFleet,
    private readonly hosts: readonly WatchedHost[],
    private readonly desktops: DesktopRules,
  ) {}

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
