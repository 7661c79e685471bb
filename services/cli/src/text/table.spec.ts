import { describe, expect, it } from '@jest/globals';
import { facts, table } from './table.js';

describe('table', () => {
  it('is as wide as it must be, with nothing after the last word of a line', () => {
    const rows = [
      ['spreadsheet', 12],
      ['x', 3],
    ];
    expect(table(['name', 'people'], rows, 'none')).toBe('NAME         PEOPLE\nspreadsheet  12\nx            3');
    expect(table(['name'], [], 'There are none')).toBe('There are none');
  });

  it('shows what others wrote without obeying it', () => {
    expect(table(['a'], [['\u001b[2J!']], '')).toBe('A\n [2J!');
    expect(facts([['Name', 'a\nb']])).toBe('Name  a b');
  });
});
