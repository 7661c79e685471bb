import type { Desktop } from '#libs/fleet';
import { Violation } from './violation.js';

interface Life {
  owner: string | null;
  wasReady: boolean;
}

/** What holds of every desktop at every commit: one owner in its life, and never a spare again. */
export class DesktopRules {
  private readonly lives = new Map<string, Life>();
  private readonly assignedTo = new Map<string, string>();

  changed(desktop: Desktop): void {
    const life = this.life(desktop.id);
    const { sessionId, state, id } = desktop;
    if (life.owner !== null && sessionId !== life.owner) {
      throw new Violation('one owner', `desktop ${id} had ${life.owner} and now has ${sessionId}`);
    }
    if (sessionId !== null && (state === 'provisioning' || state === 'available')) {
      throw new Violation('no reuse', `desktop ${id} had ${sessionId} and is ${state}`);
    }
    life.owner = sessionId;
    life.wasReady ||= state === 'available' || state === 'assigned';
    this.countAssigned(desktop);
  }

  /** Whether it was a spare or somebody's at any time. */
  wasReady(desktopId: string): boolean {
    return this.lives.get(desktopId)?.wasReady ?? false;
  }

  assignedOf(sessionId: string): string | undefined {
    return this.assignedTo.get(sessionId);
  }

  private countAssigned({ id, sessionId, state }: Desktop): void {
    if (sessionId === null) {
      if (state === 'assigned') throw new Violation('assigned has an owner', `desktop ${id} is assigned to nobody`);
      return;
    }
    const held = this.assignedTo.get(sessionId);
    if (state !== 'assigned') {
      if (held === id) this.assignedTo.delete(sessionId);
      return;
    }
    if (held !== undefined && held !== id) {
      throw new Violation('one desktop per session', `session ${sessionId} has ${held} and ${id}`);
    }
    this.assignedTo.set(sessionId, id);
  }

  private life(desktopId: string): Life {
    let life = this.lives.get(desktopId);
    if (!life) {
      life = { owner: null, wasReady: false };
      this.lives.set(desktopId, life);
    }
    return life;
  }
}
