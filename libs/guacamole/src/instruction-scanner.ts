import { isAscii } from 'node:buffer';
import { MAX_ELEMENTS } from './instruction.js';
import { GuacamoleProtocolError } from './protocol-error.js';

const COMMA = 0x2c;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const SEMICOLON = 0x3b;
const MAX_LENGTH_DIGITS = 7;

const SYNC = Buffer.from('sync');
const CLIPBOARD = Buffer.from('clipboard');
const ERROR = Buffer.from('error');
const DISCONNECT = Buffer.from('disconnect');
const OPCODE_CAPTURE_BYTES = 12;

/** True for the second and later bytes of a UTF-8 character. */
const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80;

/**
 * Finds where instructions end in a stream of bytes that may be cut anywhere, also inside a character, without
 * making strings of them. Element lengths count characters, so a stretch that is plain ASCII is skipped in one step
 * and only other stretches are counted byte by byte.
 */
export class InstructionScanner {
  /** `sync` instructions begun so far: the server sends one after each frame. */
  syncs = 0;
  /** `clipboard` instructions begun so far. */
  clipboards = 0;
  /** Set at an `error` or `disconnect`, which end the stream; `scan` goes no further than its beginning. */
  ended = false;

  private inValue = false;
  private length = 0;
  private digits = 0;
  /** Characters of the element still to come. */
  private remaining = 0;
  private element = 0;
  private readonly opcode = Buffer.alloc(OPCODE_CAPTURE_BYTES);
  private opcodeBytes = 0;
  private instructionBytes = 0;

  constructor(private readonly maxInstructionBytes: number) {}

  /**
   * Reads on.
   * @returns how many bytes of `chunk` end with a whole instruction; 0 when none ends in it.
   * @throws GuacamoleProtocolError when the stream is malformed or an instruction too long.
   */
  scan(chunk: Uint8Array): number {
    const ascii = isAscii(chunk);
    const size = chunk.length;
    // Small instructions make this loop the whole cost of the relay: its state lives in locals.
    let { inValue, length, digits, remaining, element } = this;
    let boundary = 0;
    let at = 0;
    while (at < size) {
      if (!inValue) {
        const byte = chunk[at++] as number;
        if (byte >= ZERO && byte <= NINE && digits < MAX_LENGTH_DIGITS) {
          length = length * 10 + byte - ZERO;
          digits++;
          continue;
        }
        if (byte !== DOT || digits === 0) throw new GuacamoleProtocolError('bad element length');
        if (length > this.maxInstructionBytes) throw new GuacamoleProtocolError('instruction too long');
        remaining = length;
        inValue = true;
      }
      const from = at;
      if (ascii) {
        at = Math.min(at + remaining, size);
        remaining -= at - from;
      } else {
        while (remaining > 0 && at < size) if (!isContinuation(chunk[at++] as number)) remaining--;
        // The last character's other bytes.
        while (at < size && isContinuation(chunk[at] as number)) at++;
      }
      if (element === 0) this.keepOpcode(chunk, from, at);
      if (at >= size) break;
      const byte = chunk[at++] as number;
      if (element === 0) {
        this.recogniseOpcode();
        if (this.ended) return boundary;
      }
      if (byte === SEMICOLON) {
        boundary = at;
        element = 0;
        this.opcodeBytes = 0;
        this.instructionBytes = 0;
      } else if (byte !== COMMA) throw new GuacamoleProtocolError('bad element terminator');
      else if (++element >= MAX_ELEMENTS) throw new GuacamoleProtocolError('too many elements');
      inValue = false;
      length = 0;
      digits = 0;
    }
    this.inValue = inValue;
    this.length = length;
    this.digits = digits;
    this.remaining = remaining;
    this.element = element;
    this.instructionBytes += size - boundary;
    if (this.instructionBytes > this.maxInstructionBytes) throw new GuacamoleProtocolError('instruction too long');
    return boundary;
  }

  private keepOpcode(chunk: Uint8Array, from: number, to: number): void {
    let kept = this.opcodeBytes;
    for (let at = from; at < to && kept < OPCODE_CAPTURE_BYTES; at++) this.opcode[kept++] = chunk[at] as number;
    this.opcodeBytes = kept;
  }

  /** Counts a `sync` or `clipboard`; remembers an instruction that ends the stream. */
  private recogniseOpcode(): void {
    const { opcode, opcodeBytes } = this;
    if (opcodeBytes === SYNC.length) {
      if (isOpcode(opcode, SYNC)) this.syncs++;
    } else if (opcodeBytes === CLIPBOARD.length) {
      if (isOpcode(opcode, CLIPBOARD)) this.clipboards++;
    } else if (opcodeBytes === ERROR.length) this.ended = isOpcode(opcode, ERROR);
    else if (opcodeBytes === DISCONNECT.length) this.ended = isOpcode(opcode, DISCONNECT);
  }
}

function isOpcode(opcode: Uint8Array, name: Uint8Array): boolean {
  for (let at = 0; at < name.length; at++) if (opcode[at] !== name[at]) return false;
  return true;
}
