import { describe, expect, it } from '@jest/globals';
import { LockTable, lockModes } from './lock-table.js';
import { DeadlockDetected } from './memory-errors.js';
import { TransactionLocks } from './transaction-locks.js';

describe('TransactionLocks', () => {
  const [a, b, c, d] = ['a', 'b', 'c', 'd'] as const;
  const newTransactions = () => ({
    [a]: new TransactionLocks(),
    [b]: new TransactionLocks(),
    [c]: new TransactionLocks(),
    [d]: new TransactionLocks(),
  });

  it('conflict as those of PostgreSQL do', () => {
    const conflicts: string[] = [];
    for (const [held, heldMode] of Object.entries(lockModes))
      for (const [asked, askedMode] of Object.entries(lockModes)) {
        const table = new LockTable();
        const { a: first, b: second } = newTransactions();
        first.tryLock(table, 'row', heldMode);
        expect(first.tryLock(table, 'row', askedMode)).toBe(true);
        const again = new LockTable();
        newTransactions().a.tryLock(again, 'row', heldMode);
        if (!second.tryLock(again, 'row', askedMode)) conflicts.push(`${held} ${asked}`);
      }
    expect(conflicts).toEqual([
      'keyShare update',
      'noKeyUpdate noKeyUpdate',
      'noKeyUpdate update',
      'update keyShare',
      'update noKeyUpdate',
      'update update',
    ]);
  });

  it('are given in the order of asking', async () => {
    const table = new LockTable();
    const transactions = newTransactions();
    const order: string[] = [];
    await transactions.a.lock(table, 'row');
    const all = ([b, c, d] as const).map(async (name) => {
      await transactions[name].lock(table, 'row');
      order.push(name);
      transactions[name].releaseAll();
    });
    transactions.a.releaseAll();
    await Promise.all(all);
    expect(order).toEqual([b, c, d]);
    expect(new TransactionLocks().tryLock(table, 'row')).toBe(true);
  });

  it('do not let one that waits be overtaken by another that waits', async () => {
    const table = new LockTable();
    const { a: reader, b: writer, c: first, d: second } = newTransactions();
    await reader.lock(table, 'row', lockModes.keyShare);
    await writer.lock(table, 'row', lockModes.noKeyUpdate);
    const order: string[] = [];
    const waits = [
      first.lock(table, 'row', lockModes.update).then(() => order.push('first')),
      second.lock(table, 'row', lockModes.noKeyUpdate).then(() => order.push('second')),
    ];
    writer.releaseAll();
    expect([reader.wait, first.wait === null, second.wait === null]).toEqual([null, false, false]);
    reader.releaseAll();
    await waits[0];
    first.releaseAll();
    await waits[1];
    expect(order).toEqual(['first', 'second']);
  });

  it('are not left behind by one that is ended between getting a lock and going on', async () => {
    const table = new LockTable();
    const { a: holder, b: killed } = newTransactions();
    await holder.lock(table, 'row');
    const waiting = killed.lock(table, 'row');
    holder.releaseAll();
    killed.releaseAll();
    await waiting;
    expect(new TransactionLocks().tryLock(table, 'row')).toBe(true);
    expect(() => killed.tryLock(table, 'another')).toThrow('has ended');
    await expect(killed.lock(table, 'another')).rejects.toThrow('has ended');
    await expect(killed.untilEndOf(new TransactionLocks())).rejects.toThrow('has ended');
  });

  it('tell a ring of three, also when it runs over the end of a transaction, and no ring where there is none', async () => {
    const table = new LockTable();
    const { a: one, b: two, c: three, d: bystander } = newTransactions();
    await one.lock(table, 'first');
    await two.lock(table, 'second');
    const outside = bystander.lock(table, 'second');
    const waits = [one.lock(table, 'second'), two.untilEndOf(three)];
    await expect(three.lock(table, 'first')).rejects.toThrow(DeadlockDetected);
    three.releaseAll();
    await waits[1];
    two.releaseAll();
    await outside;
    bystander.releaseAll();
    await waits[0];
  });
});
