import type { Desktop } from '../desktop.entity.js';
import type { ClaimedSpare, DesktopChange, DesktopMove, DesktopOrder } from '../fleet-transaction.js';
import { checkDesktop } from './check-desktop.js';
import { assertReferred, referToSession } from './foreign-keys.js';
import { isCurrent, isOnStayingHost } from './is-current.js';
import { ConstraintViolation } from './memory-errors.js';
import type { MemoryTransaction } from './memory-transaction.js';
import { newDesktop } from './new-desktop.js';
import { putUnique } from './put-unique.js';

type Placed = { readonly id: string; readonly host: string };

/** The statements on desktops of one transaction. */
export class MemoryDesktops {
  constructor(private readonly tx: MemoryTransaction) {}

  add(order: DesktopOrder): Placed[] {
    const { tx } = this;
    const { fleet, now } = tx;
    return order.hosts.map((host) => {
      assertReferred(tx, 'desktops_pool_id_fkey', fleet.pools, order.poolId);
      assertReferred(tx, 'desktops_image_version_id_fkey', fleet.imageVersions, order.imageVersionId);
      assertReferred(tx, 'desktops_host_fkey', fleet.hosts, host);
      const desktop = newDesktop(fleet.newId(), order, host, now);
      if (tx.desktops.get(desktop.id)) throw new ConstraintViolation('desktops_pkey');
      checkDesktop(fleet, desktop);
      tx.desktops.put(desktop);
      tx.recordDesktopEvent(desktop.id, null, 'provisioning', null);
      return { id: desktop.id, host };
    });
  }

  async move(moves: readonly DesktopMove[]): Promise<ReadonlySet<string>> {
    const moved = new Set<string>();
    for (const move of [...moves].sort((a, b) => (a.id < b.id ? -1 : 1))) {
      if (await this.moveOne(move)) moved.add(move.id);
    }
    return moved;
  }

  private async moveOne({ id, from, to, change = {} }: DesktopMove): Promise<boolean> {
    const { tx } = this;
    const { fleet } = tx;
    if (!tx.desktops.get(id)) return false;
    await tx.lockRow(fleet.locks.desktops, id);
    const before = tx.desktops.get(id) as Desktop;
    if (fleet.enforces('moves-check-state') && !from.includes(before.state)) return false;
    const after = { ...before, ...columnsOf(change, tx.now), state: to, stateChangedAt: tx.now };
    checkDesktop(fleet, after, before);
    await this.put(after);
    tx.recordDesktopEvent(id, before.state, to, change.reason ?? null);
    return true;
  }

  lockSpares(poolId: string, versionId: string, which: 'available' | 'outdated', limit: number): Placed[] {
    const isWanted = (desktop: Desktop) => isCurrent(this.tx.fleet, desktop, versionId) === (which === 'available');
    const spares = this.spares(poolId).filter(isWanted).sort(byWaitingTime);
    return this.lockFirst(spares, limit).map(({ id, host }) => ({ id, host }));
  }

  async claimSpares(poolId: string, sessionIds: readonly string[]): Promise<ClaimedSpare[]> {
    const { tx } = this;
    const { imageVersions } = tx.fleet;
    const isLeaving = (desktop: Desktop) => Number(!isOnStayingHost(tx.fleet, desktop));
    const number = (desktop: Desktop) => imageVersions.get(desktop.imageVersionId)?.number ?? 0;
    const spares = this.spares(poolId).sort(
      (a, b) => isLeaving(a) - isLeaving(b) || number(b) - number(a) || byWaitingTime(a, b),
    );
    const claimed: ClaimedSpare[] = [];
    for (const [index, before] of this.lockFirst(spares, sessionIds.length).entries()) {
      const sessionId = sessionIds[index] as string;
      const after: Desktop = { ...before, state: 'assigned', sessionId, assignedAt: tx.now, stateChangedAt: tx.now };
      checkDesktop(tx.fleet, after, before);
      await this.put(after);
      tx.recordDesktopEvent(after.id, 'available', 'assigned', `session ${sessionId}`);
      claimed.push({ sessionId, desktopId: after.id, host: after.host });
    }
    for (const { sessionId } of claimed) await referToSession(tx, 'desktops_session_id_fkey', sessionId);
    return claimed;
  }

  assignedTo(sessionIds: readonly string[]): Desktop[] {
    const isAssigned = ({ state, sessionId }: Desktop) =>
      state === 'assigned' && sessionId !== null && sessionIds.includes(sessionId);
    return this.tx.desktops.filter(isAssigned).map((desktop) => ({ ...desktop }));
  }

  private spares(poolId: string): Desktop[] {
    return this.tx.desktops.filter((row) => row.state === 'available' && row.poolId === poolId);
  }

  private lockFirst(desktops: readonly Desktop[], limit: number): Desktop[] {
    const locked: Desktop[] = [];
    for (const desktop of desktops) {
      if (locked.length >= limit) break;
      if (this.tx.tryLockRow(this.tx.fleet.locks.desktops, desktop.id)) locked.push(desktop);
    }
    return locked;
  }

  private async put(row: Desktop): Promise<void> {
    const { tx } = this;
    const { id, sessionId } = row;
    if (row.state !== 'assigned' || !tx.fleet.enforces('one-desktop-per-session')) return tx.desktops.put(row);
    const matches = (other: Desktop) => other.id !== id && other.state === 'assigned' && other.sessionId === sessionId;
    if (!(await putUnique(tx, { row, matches, viewOf: (any) => any.desktops })))
      throw new ConstraintViolation('desktops_one_per_session');
  }
}

const byWaitingTime = (a: Desktop, b: Desktop) => a.stateChangedAt.getTime() - b.stateChangedAt.getTime();

function columnsOf({ deadlineSeconds, display, start, reason }: DesktopChange, now: Date): Partial<Desktop> {
  const deadline = deadlineSeconds === null ? null : new Date(now.getTime() + (deadlineSeconds ?? 0) * 1000);
  return {
    ...(deadlineSeconds !== undefined && { deadline }),
    ...(display && {
      displayHost: display.host,
      displayPort: display.port,
      sealedDisplayPassword: display.sealedPassword,
    }),
    ...(start && { startMethod: start.method, startMs: Math.round(start.durationMs) }),
    ...(reason !== undefined && { reason }),
  };
}
