import { describe, expect, it } from '@jest/globals';
import { defineStateMachine } from './state-machine.js';

const door = defineStateMachine<'open' | 'closed' | 'gone'>('door', 'closed', {
  closed: ['open', 'gone'],
  open: ['closed'],
  gone: [],
});

describe('defineStateMachine', () => {
  it('knows the moves, their sources and the terminal states', () => {
    expect(door.canMove('closed', 'open')).toBe(true);
    expect(door.canMove('open', 'gone')).toBe(false);
    expect(door.sourcesOf('gone')).toEqual(['closed']);
    expect(door.terminal).toEqual(['gone']);
  });

  it('fails on a state that cannot be reached', () => {
    expect(() => defineStateMachine<'a' | 'b'>('x', 'a', { a: [], b: ['a'] })).toThrow('x: no way leads to b');
  });
});
