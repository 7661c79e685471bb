import { beforeEach, describe, expect, it } from '@jest/globals';
import { GuestMessageReader, MAX_MESSAGE_BYTES, MESSAGES_PER_SECOND } from './guest-message-reader.js';

describe('GuestMessageReader', () => {
  let told: string[];
  let now: number;
  let reader: GuestMessageReader;
  const push = (text: string | Buffer) => reader.push(Buffer.from(text as string));

  beforeEach(() => {
    told = [];
    now = 5_000;
    reader = new GuestMessageReader(
      (text) => told.push(text),
      () => now,
    );
  });

  it('tells of lines in whatever pieces they arrive', () => {
    push('start no');
    push('tes notes.desktop\nsecond\nthi');
    expect(told).toEqual(['start notes notes.desktop', 'second']);
  });

  it('drops lines that are too long, empty, or not printable ASCII, and hears the next', () => {
    const longest = 'x'.repeat(MAX_MESSAGE_BYTES);
    push(`${longest}\n${longest}x\n\ngr\u00fc\u00dfe\n\u001b[2J\n`);
    for (let piece = 0; piece < 100; piece += 1) push('y'.repeat(50));
    push('\nlast\n');
    expect(told).toEqual([longest, 'last']);
  });

  it('drops what comes too fast, and hears again in the next second', () => {
    for (let line = 0; line < 50; line += 1) push(`line ${line}\n`);
    expect(told).toHaveLength(MESSAGES_PER_SECOND);
    now += 1_000;
    push('later\n');
    expect(told.at(-1)).toBe('later');
    expect(told).toHaveLength(MESSAGES_PER_SECOND + 1);
  });

  it('wants a flood to wait for the rest of the second', () => {
    expect(push('x'.repeat(16 << 10))).toBe(0);
    now += 400;
    expect(push('x')).toBe(600);
    now += 600;
    expect(push('x\nheard\n')).toBe(0);
    expect(told).toEqual(['heard']);
  });
});
