import { type LockHolder, type LockMode, type LockTable, lockModes } from './lock-table.js';
import { DeadlockDetected } from './memory-errors.js';

interface Wait {
  blockers(): readonly LockHolder[];
  abandon(): void;
  reject(error: Error): void;
}

/** The locks that one transaction holds, and what it waits for. */
export class TransactionLocks implements LockHolder {
  wait: Wait | null = null;
  private readonly held: { readonly table: LockTable; readonly key: string }[] = [];
  /** Transactions that wait for the end of this one. */
  private readonly followers = new Set<() => void>();
  private hasEnded = false;

  /** As FOR UPDATE SKIP LOCKED does. */
  tryLock(table: LockTable, key: string, mode: LockMode = lockModes.update): boolean {
    // What is left of a statement whose transaction was ended must not lock anything that nobody would unlock.
    if (this.hasEnded) throw new Error('the transaction has ended');
    if (!table.tryLock(this, key, mode)) return false;
    this.held.push({ table, key });
    return true;
  }

  /** @throws DeadlockDetected when those it would wait for wait for it */
  async lock(table: LockTable, key: string, mode: LockMode = lockModes.update): Promise<void> {
    if (this.tryLock(table, key, mode)) return;
    await this.pause(
      () => table.blockers(this, key, mode),
      (resume) => {
        const granted = () => {
          this.held.push({ table, key });
          resume();
        };
        return table.enqueue({ holder: this, mode, resume: granted }, key);
      },
    );
  }

  /** As an insertion in a unique index does that meets a row which is not committed yet. */
  async untilEndOf(other: TransactionLocks): Promise<void> {
    if (this.hasEnded) throw new Error('the transaction has ended');
    await this.pause(
      () => [other],
      (resume) => {
        other.followers.add(resume);
        return () => other.followers.delete(resume);
      },
    );
  }

  /**
   * Gives everything up.
   * @param error what a statement that waits is rejected with; without one it waits forever
   */
  releaseAll(error?: Error): void {
    const { wait } = this;
    this.hasEnded = true;
    this.wait = null;
    wait?.abandon();
    for (const { table, key } of this.held) table.release(this, key);
    this.held.length = 0;
    for (const resume of this.followers) resume();
    this.followers.clear();
    if (error) wait?.reject(error);
  }

  private pause(blockers: Wait['blockers'], enqueue: (resume: () => void) => () => void): Promise<void> {
    if (blockers().some((blocker) => leadsTo(blocker, this))) throw new DeadlockDetected();
    return new Promise((resolve, reject) => {
      const abandon = enqueue(() => {
        this.wait = null;
        resolve();
      });
      this.wait = { blockers, abandon, reject };
    });
  }
}

function leadsTo(from: LockHolder, target: LockHolder): boolean {
  if (from === target) return true;
  return from.wait?.blockers().some((blocker) => leadsTo(blocker, target)) ?? false;
}
