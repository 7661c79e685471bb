import { describe, expect, it } from '@jest/globals';
import { DesktopStream } from './desktop-stream.js';
import { encodeInstruction, type Instruction, parseInstructions } from './instruction.js';
import { COPY_STREAM, RelayClipboard } from './relay-clipboard.js';

const textOf = (instructions: string): string => {
  const blobs = parseInstructions(instructions).filter(([opcode]) => opcode === 'blob');
  return Buffer.concat(blobs.map(([, , data]) => Buffer.from(data ?? '', 'base64'))).toString('utf8');
};
const base64 = (text: string): string => Buffer.from(text).toString('base64');

function send(clipboard: RelayClipboard, ...pieces: string[]): void {
  clipboard.sawFromBrowser(['clipboard', '3', 'text/plain']);
  for (const piece of pieces) clipboard.sawFromBrowser(['blob', '3', base64(piece)]);
  clipboard.sawFromBrowser(['end', '3']);
}

describe('RelayClipboard', () => {
  it('gives the browser a text once, in pieces of a few KiB', () => {
    const clipboard = new RelayClipboard('utf-16');
    const text = 'Grüße €5 😀\n'.repeat(5_000);
    clipboard.offer(text);
    expect(clipboard.waitingBytes).toBe(Buffer.byteLength(text));
    const taken = clipboard.take();
    expect(textOf(taken)).toBe(text);
    const instructions = parseInstructions(taken);
    expect(instructions[0]).toEqual(['clipboard', COPY_STREAM, 'text/plain']);
    expect(instructions.at(-1)).toEqual(['end', COPY_STREAM]);
    expect(Math.max(...instructions.map((each) => encodeInstruction(each).length))).toBeLessThan(6 * 1024 + 50);
    expect(clipboard.take()).toBe('');
    expect(clipboard.waitingBytes).toBe(0);
  });

  it('keeps only the last text that waits', () => {
    const clipboard = new RelayClipboard('code-points');
    clipboard.offer('old');
    clipboard.offer('new');
    expect(textOf(clipboard.take())).toBe('new');
  });

  it('does not give the browser its own text back', () => {
    const clipboard = new RelayClipboard('code-points');
    send(clipboard, 'one\r\n', 'two');
    clipboard.offer('one\ntwo');
    expect(clipboard.take()).toBe('');
    clipboard.offer('three');
    expect(textOf(clipboard.take())).toBe('three');
  });

  const bitmap: Instruction = ['img', '1', '15', '0', 'image/png', '0', '0'];
  const copy: Instruction[] = [
    ['clipboard', '4', 'text/plain'],
    ['blob', '4', base64('from guacd')],
    ['end', '4'],
  ];
  const drawing: Instruction[] = [bitmap, ['blob', '1', 'AAAA'], ['end', '1'], ['sync', '12']];

  function passThrough(clipboard: RelayClipboard, cut: number): Instruction[] {
    const stream = new DesktopStream(10_000, 'code-points');
    const sent = [...drawing, ...copy, ...drawing, ...copy, ...drawing];
    const bytes = Buffer.from(sent.map((each) => encodeInstruction(each)).join(''));
    const passed = [bytes.subarray(0, cut), bytes.subarray(cut)].map((chunk) => {
      const batch = stream.take(chunk);
      return batch.length === 0 ? batch : clipboard.filter(batch, stream.clipboards);
    });
    return parseInstructions(Buffer.concat(passed).toString('utf8'));
  }

  it("leaves guacd's copies out at every cut while it takes over", () => {
    for (let cut = 0; cut < 450; cut++) {
      const clipboard = new RelayClipboard('code-points');
      clipboard.takesOver = true;
      expect(passThrough(clipboard, cut)).toEqual([...drawing, ...drawing, ...drawing]);
    }
  });

  it("lets guacd's copies pass otherwise", () => {
    expect(
      passThrough(new RelayClipboard('code-points'), 100).filter(([opcode]) => opcode === 'clipboard'),
    ).toHaveLength(2);
  });
});
