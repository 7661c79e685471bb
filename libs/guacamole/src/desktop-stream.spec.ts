import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DesktopStream } from './desktop-stream.js';
import { encodeInstruction, type Instruction, parseInstructions } from './instruction.js';
import { GuacamoleProtocolError } from './protocol-error.js';

const MAX = 64 * 1024;

const text = fc.string({ unit: 'binary', maxLength: 40 });
const instruction = fc
  .tuple(fc.constantFrom('img', 'blob', 'sync', 'name', 'größe', '😀'), fc.array(text, { maxLength: 6 }))
  .map(([opcode, args]): Instruction => [opcode, ...args]);

/** Takes `bytes` in pieces cut at `cuts`. */
function takeInPieces(
  bytes: Buffer,
  cuts: readonly number[],
  unit: 'code-points' | 'utf-16' = 'code-points',
): Buffer[] {
  const stream = new DesktopStream(MAX, unit);
  const edges = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((end, index) => stream.take(Buffer.from(bytes.subarray(edges[index], end))));
}

describe('DesktopStream', () => {
  it('arrives whole however the bytes are cut, and every message holds whole instructions', () => {
    fc.assert(
      fc.property(
        fc.array(instruction, { minLength: 1, maxLength: 12 }),
        fc.array(fc.nat(2000), { maxLength: 12 }),
        (instructions, anywhere) => {
          const bytes = Buffer.from(instructions.map((each) => encodeInstruction(each)).join(''));
          const messages = takeInPieces(
            bytes,
            anywhere.map((cut) => cut % (bytes.length + 1)),
          );
          expect(Buffer.concat(messages).equals(bytes)).toBe(true);
          expect(messages.flatMap((message) => parseInstructions(message.toString('utf8')))).toEqual(instructions);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('holds at every single cut through characters of one to four bytes', () => {
    const sent = '4.name,9.aé€😀;,.ß😀;3.nop;4.sync,1.1;';
    const bytes = Buffer.from(sent);
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second++) {
        const messages = takeInPieces(bytes, [first, second]);
        for (const message of messages) expect(() => parseInstructions(message.toString('utf8'))).not.toThrow();
        expect(Buffer.concat(messages).toString('utf8')).toBe(sent);
      }
    }
  });

  it('counts UTF-16 units for a browser that does', () => {
    const [message] = takeInPieces(Buffer.from('4.name,3.a😀b;3.nop;'), [], 'utf-16');
    expect(message?.toString('utf8')).toBe('4.name,4.a😀b;3.nop;');
  });

  it('counts frames also when their opcode is cut', () => {
    const bytes = Buffer.from('4.sync,1.1;3.nop;4.sync,1.2;4.synd,1.2;');
    for (let cut = 0; cut <= bytes.length; cut++) {
      const stream = new DesktopStream(MAX, 'code-points');
      stream.take(bytes.subarray(0, cut));
      stream.take(bytes.subarray(cut));
      expect(stream.syncs).toBe(2);
    }
  });

  it('keeps back an error instruction and knows its status', () => {
    const bytes = Buffer.from('4.sync,1.1;5.error,7.Aborted,3.519;');
    for (let cut = 0; cut <= bytes.length - 8; cut++) {
      const stream = new DesktopStream(MAX, 'code-points');
      const first = stream.take(bytes.subarray(0, cut));
      const second = stream.ended ? Buffer.alloc(0) : stream.take(bytes.subarray(cut));
      expect(first.toString() + second.toString()).toBe('4.sync,1.1;');
      expect(stream.ended).toBe(true);
    }
    const stream = new DesktopStream(MAX, 'code-points');
    stream.take(bytes);
    expect(stream.errorStatus()).toBe(519);
  });

  it.each([
    ['no length', 'abc;'],
    ['no digits', '.abc;'],
    ['a negative length', '-1.a;'],
    ['a length of very many digits', '99999999.a;'],
    ['a length beyond the limit', '70000.a;'],
    ['a wrong terminator', '3.nop!'],
    ['a length that is too short', '2.nop;'],
    ['too many elements', `1.a,${'1.b,'.repeat(200)}1.c;`],
  ])('refuses %s', (_what, sent) => {
    expect(() => new DesktopStream(MAX, 'code-points').take(Buffer.from(sent))).toThrow(GuacamoleProtocolError);
  });

  it('refuses bytes that are not UTF-8', () => {
    const bytes = Buffer.from('4.name,3.a?b;');
    bytes[bytes.indexOf('?')] = 0xfc;
    expect(() => new DesktopStream(MAX, 'code-points').take(bytes)).toThrow(GuacamoleProtocolError);
  });

  it('refuses an instruction that never ends', () => {
    const stream = new DesktopStream(1000, 'code-points');
    stream.take(Buffer.from('4.blob,'));
    const piece = Buffer.from(`400.${'x'.repeat(400)},`);
    expect(() => {
      for (let count = 0; count < 4; count++) stream.take(piece);
    }).toThrow(GuacamoleProtocolError);
  });

  it('never does anything with garbage but refuse it or wait', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (pieces) => {
        const stream = new DesktopStream(1000, 'code-points');
        try {
          for (const piece of pieces) if (!stream.ended) stream.take(Buffer.from(piece));
        } catch (error) {
          expect(error).toBeInstanceOf(GuacamoleProtocolError);
        }
        expect(stream.pendingBytes).toBeLessThanOrEqual(1000);
      }),
    );
  });
});
