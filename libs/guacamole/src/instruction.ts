import { GuacamoleProtocolError } from './protocol-error.js';

/** Opcode and arguments. */
export type Instruction = readonly [opcode: string, ...args: string[]];

/**
 * What the length before an element counts. The protocol (guacd) counts Unicode code points; guacamole-common-js 1.5
 * counts UTF-16 units, which differs for characters beyond U+FFFF only.
 */
export type LengthUnit = 'code-points' | 'utf-16';

/** Limits of one instruction, those of guacd: it drops a connection that goes beyond. */
export const GUACD_MAX_INSTRUCTION_BYTES = 8 * 1024;
export const MAX_ELEMENTS = 128;
const MAX_LENGTH_DIGITS = 7;

const SURROGATE_PAIR = /[\uD800-\uDBFF][\uDC00-\uDFFF]/g;

const lengthOf = (text: string, unit: LengthUnit): number =>
  unit === 'utf-16' ? text.length : text.length - (text.match(SURROGATE_PAIR)?.length ?? 0);

/** `['size', '1024', '768']` -> `4.size,4.1024,3.768;` */
export function encodeInstruction(elements: Instruction, unit: LengthUnit = 'code-points'): string {
  return `${elements.map((element) => `${lengthOf(element, unit)}.${element}`).join(',')};`;
}

/** The index just past `count` characters of `text` from `start`, or -1 when there are fewer. */
function advance(text: string, start: number, count: number, unit: LengthUnit): number {
  if (unit === 'utf-16') return start + count <= text.length ? start + count : -1;
  let index = start;
  for (let left = count; left > 0; left--) {
    if (index >= text.length) return -1;
    index += (text.codePointAt(index) as number) > 0xffff ? 2 : 1;
  }
  return index;
}

/**
 * All instructions of a text that must hold whole ones.
 * @throws GuacamoleProtocolError when it is malformed or ends inside an instruction.
 */
export function parseInstructions(text: string, unit: LengthUnit = 'code-points'): Instruction[] {
  const instructions: Instruction[] = [];
  let elements: string[] = [];
  let index = 0;
  while (index < text.length) {
    const dot = text.indexOf('.', index);
    if (dot <= index || dot - index > MAX_LENGTH_DIGITS) throw new GuacamoleProtocolError('bad element length');
    const digits = text.slice(index, dot);
    if (!/^\d+$/.test(digits)) throw new GuacamoleProtocolError('bad element length');
    const end = advance(text, dot + 1, Number(digits), unit);
    if (end < 0 || end >= text.length) throw new GuacamoleProtocolError('incomplete instruction');
    elements.push(text.slice(dot + 1, end));
    if (elements.length > MAX_ELEMENTS) throw new GuacamoleProtocolError('too many elements');
    const terminator = text[end];
    if (terminator === ';') {
      instructions.push(elements as unknown as Instruction);
      elements = [];
    } else if (terminator !== ',') throw new GuacamoleProtocolError('bad element terminator');
    index = end + 1;
  }
  if (elements.length > 0) throw new GuacamoleProtocolError('incomplete instruction');
  return instructions;
}
