import { randomUUID } from 'node:crypto';
import type { DesktopState } from '#libs/contracts';

interface MemoryDesktop {
  readonly host: string;
  state: DesktopState;
}

/** The rows of hosts and desktops that leases depend on. */
export class MemoryLeaseWorld {
  readonly desktops = new Map<string, MemoryDesktop>();
  /** Whether each is fenced off. */
  readonly hosts = new Map<string, boolean>();
  /** The versions that desktops read from without a lease, by volume. */
  readonly readers: { readonly volumeId: string; readonly desktopId: string; readonly number: number }[] = [];

  addHost(name: string): void {
    this.hosts.set(name, false);
  }

  /** @returns id of a desktop that somebody was given */
  addDesktop(host: string, id: string = randomUUID()): string {
    this.desktops.set(id, { host, state: 'assigned' });
    return id;
  }

  moveDesktop(id: string, state: DesktopState): void {
    const desktop = this.desktops.get(id);
    if (!desktop) throw new Error(`there is no desktop ${id}`);
    desktop.state = state;
  }

  isGone(desktopId: string): boolean {
    const state = this.desktops.get(desktopId)?.state;
    return state === undefined || state === 'deleted';
  }
}
