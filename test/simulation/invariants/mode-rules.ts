import type { HostMode, PoolMode } from '#libs/contracts';
import { Violation } from './violation.js';

interface Held<Mode> {
  readonly mode: Mode;
  readonly fromStep: number;
}

/** What is paused is left in peace: by everybody who began to look when it was paused already. */
export class ModeRules {
  private readonly pools = new Map<string, Held<PoolMode>>();
  private readonly hosts = new Map<string, Held<HostMode>>();

  poolChanged(poolId: string, mode: PoolMode, fromStep: number): void {
    this.pools.set(poolId, { mode, fromStep });
  }

  hostChanged(name: string, mode: HostMode, fromStep: number): void {
    this.hosts.set(name, { mode, fromStep });
  }

  /** The mode that the pool had all the time since then; undefined when it changed meanwhile. */
  modeSince(poolId: string, step: number): PoolMode | undefined {
    const held = this.pools.get(poolId) ?? { mode: 'active', fromStep: -1 };
    return held.fromStep < step ? held.mode : undefined;
  }

  desktopAdded(
    desktop: { readonly id: string; readonly poolId: string; readonly host: string },
    lookedAtStep: number,
  ): void {
    if (this.modeSince(desktop.poolId, lookedAtStep) === 'maintenance') {
      throw new Violation('maintenance', `desktop ${desktop.id} is made in a pool under maintenance`);
    }
    const host = this.hosts.get(desktop.host);
    if (host?.mode === 'draining' && host.fromStep < lookedAtStep) {
      throw new Violation('drained host', `desktop ${desktop.id} is made on ${desktop.host}, which is drained`);
    }
  }

  served(sessionId: string, poolId: string, isNewcomer: boolean, lookedAtStep: number): void {
    const mode = this.modeSince(poolId, lookedAtStep);
    if (mode === 'maintenance') throw new Violation('maintenance', `session ${sessionId} is given a desktop`);
    if (mode === 'draining' && isNewcomer) throw new Violation('draining', `newcomer ${sessionId} is given a desktop`);
  }
}
