import { Violation } from './violation.js';

/** No pool gets more desktops than its maximum, whichever maximum its plan could have read. */
export class PoolRules {
  /** By pool: each maximum, and the step from which it held. */
  private readonly maxima = new Map<string, { readonly max: number; readonly fromStep: number }[]>();

  maxChanged(poolId: string, max: number, step: number): void {
    const maxima = this.maxima.get(poolId) ?? [];
    maxima.push({ max, fromStep: step });
    this.maxima.set(poolId, maxima);
  }

  /** @param plannedAtStep when the transaction that added desktops began to plan */
  added(poolId: string, existing: number, plannedAtStep: number): void {
    const maxima = this.maxima.get(poolId) ?? [];
    const readable = maxima.filter((_, index) => {
      const next = maxima[index + 1];
      return next === undefined || next.fromStep >= plannedAtStep;
    });
    const most = Math.max(...readable.map(({ max }) => max));
    if (existing > most) throw new Violation('maximum', `pool ${poolId} has ${existing} desktops of at most ${most}`);
  }
}
