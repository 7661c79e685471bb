import { describe, expect, it } from '@jest/globals';
import { UsLayout } from './us-layout.js';

const SHIFT = 0xffe1;
const ALT_GR = 0xfe03;
const code = (character: string) => character.charCodeAt(0);

function typed(...keys: [pressed: boolean, keysym: number][]): [boolean, number][] {
  const sent: [boolean, number][] = [];
  const layout = new UsLayout((pressed, keysym) => sent.push([pressed, keysym]));
  for (const [pressed, keysym] of keys) layout.key(pressed, keysym);
  return sent;
}

describe('UsLayout', () => {
  it('lifts Shift for a character that a US keyboard has without it', () => {
    expect(typed([true, SHIFT], [true, code('/')], [false, code('/')], [false, SHIFT])).toEqual([
      [true, SHIFT],
      [false, SHIFT],
      [true, code('/')],
      [true, SHIFT],
      [false, code('/')],
      [false, SHIFT],
    ]);
  });

  it('holds Shift for a character that a US keyboard has only with it, and lifts AltGr', () => {
    expect(typed([true, ALT_GR], [true, code('@')], [false, code('@')], [false, ALT_GR])).toEqual([
      [true, ALT_GR],
      [false, ALT_GR],
      [true, SHIFT],
      [true, code('@')],
      [false, SHIFT],
      [true, ALT_GR],
      [false, code('@')],
      [false, ALT_GR],
    ]);
  });

  it('changes nothing where the layouts agree, nor letters, nor shortcuts', () => {
    const keys: [boolean, number][] = [
      [true, SHIFT],
      [true, code('(')],
      [false, code('(')],
      [true, code('T')],
      [false, SHIFT],
      [true, 0xffe3],
      [true, code('c')],
      [true, code('1')],
    ];
    expect(typed(...keys)).toEqual(keys);
  });
});
