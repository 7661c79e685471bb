/** PostgreSQL's row locks: what a foreign key takes, what UPDATE takes, and FOR UPDATE. */
export const lockModes = { keyShare: 1, noKeyUpdate: 2, update: 3 } as const;
export type LockMode = (typeof lockModes)[keyof typeof lockModes];

/** A transaction as far as locks go. */
export interface LockHolder {
  /** Whom it waits for; null while it runs. */
  readonly wait: { blockers(): readonly LockHolder[] } | null;
}

interface Grant {
  readonly holder: LockHolder;
  mode: LockMode;
}

interface Waiter extends Grant {
  resume(): void;
}

interface Lock {
  readonly grants: Grant[];
  readonly queue: Waiter[];
}

/** Locks of one kind by key. Who must wait is served in the order of asking. */
export class LockTable {
  private readonly locks = new Map<string, Lock>();

  /** @returns false when another transaction holds the lock in a conflicting mode */
  tryLock(holder: LockHolder, key: string, mode: LockMode): boolean {
    const lock = this.locks.get(key);
    if (!lock) {
      this.locks.set(key, { grants: [{ holder, mode }], queue: [] });
      return true;
    }
    if (!isFree(lock, holder, mode)) return false;
    grant(lock, holder, mode);
    return true;
  }

  /** Who holds the lock in a mode that conflicts, or asked for it earlier. */
  blockers(holder: LockHolder, key: string, mode: LockMode): readonly LockHolder[] {
    const lock = this.locks.get(key);
    if (!lock) return [];
    const place = lock.queue.findIndex((waiter) => waiter.holder === holder);
    const earlier = place < 0 ? lock.queue : lock.queue.slice(0, place);
    return [...lock.grants, ...earlier]
      .filter((other) => other.holder !== holder && conflict(other.mode, mode))
      .map((other) => other.holder);
  }

  /** Queues up for a lock that `tryLock` refused. @returns what gives the place in the queue up */
  enqueue(waiter: Waiter, key: string): () => void {
    const lock = this.locks.get(key);
    if (!lock) throw new Error(`nobody holds ${key}`);
    lock.queue.push(waiter);
    return () => {
      lock.queue.splice(lock.queue.indexOf(waiter), 1);
      this.serve(key, lock);
    };
  }

  release(holder: LockHolder, key: string): void {
    const lock = this.locks.get(key);
    if (!lock) return;
    const index = lock.grants.findIndex((given) => given.holder === holder);
    if (index >= 0) lock.grants.splice(index, 1);
    this.serve(key, lock);
  }

  private serve(key: string, lock: Lock): void {
    const waiting = lock.queue.splice(0);
    for (const waiter of waiting) {
      const isNext = !lock.queue.some((earlier) => conflict(earlier.mode, waiter.mode));
      if (isNext && isFree(lock, waiter.holder, waiter.mode)) {
        grant(lock, waiter.holder, waiter.mode);
        waiter.resume();
      } else lock.queue.push(waiter);
    }
    if (lock.grants.length === 0 && lock.queue.length === 0) this.locks.delete(key);
  }
}

const conflict = (one: LockMode, other: LockMode) => one + other > 3;

function isFree(lock: Lock, holder: LockHolder, mode: LockMode): boolean {
  for (const given of lock.grants) if (given.holder !== holder && conflict(given.mode, mode)) return false;
  return true;
}

function grant(lock: Lock, holder: LockHolder, mode: LockMode): void {
  const held = lock.grants.find((given) => given.holder === holder);
  if (!held) lock.grants.push({ holder, mode });
  else if (held.mode < mode) held.mode = mode;
}
