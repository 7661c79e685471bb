import { describe, expect, it } from '@jest/globals';
import { UndoStack } from './undo-stack.js';

describe('UndoStack', () => {
  it('undoes finished steps last first when a later one fails, and keeps the first error', async () => {
    const undone: string[] = [];
    const operation = UndoStack.run(async (undo) => {
      undo.add('one', () => void undone.push('one'));
      undo.add('two', () => {
        undone.push('two');
        throw new Error('stuck');
      });
      undo.add('three', () => void undone.push('three'));
      throw new Error('step four failed');
    });
    await expect(operation).rejects.toThrow('step four failed');
    expect(undone).toEqual(['three', 'two', 'one']);
  });

  it('undoes nothing when all succeeds', async () => {
    const undone: string[] = [];
    await expect(
      UndoStack.run(async (undo) => {
        undo.add('one', () => void undone.push('one'));
        return 7;
      }),
    ).resolves.toBe(7);
    expect(undone).toEqual([]);
  });
});
