import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { configTable } from './config-reference.js';

describe('the README', () => {
  it('holds the table of all variables as it is in the code', () => {
    const readme = readFileSync(resolve(import.meta.dirname, '../../../README.md'), 'utf8');
    const table = /^\| variable \| default \| meaning \|\n(?:\|.*\n?)+/m.exec(readme)?.[0];
    expect(table?.trim()).toBe(configTable());
  });
});
