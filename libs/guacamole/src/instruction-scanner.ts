import { isAscii } from 'node:buffer';
import { MAX_ELEMENTS } from './instruction.js';
import { GuacamoleProtocolError } from './protocol-error.js';

const COMMA = 0x2c;
const DOT = 0x2e;
const ZERO = 0x30;
const SEMICOLON = 0x3b;
const MAX_LENGTH_DIGITS = 7;

const SYNC = Buffer.from('sync');
const ENDINGS = [Buffer.from('error'), Buffer.from('disconnect')];
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
    let boundary = 0;
    let at = 0;
    while (at < size) {
      if (!this.inValue) {
        at = this.readLength(chunk, at);
        continue;
      }
      if (this.element === 0) at = this.readOpcode(chunk, at);
      else if (ascii) {
        const taken = Math.min(this.remaining, size - at);
        at += taken;
        this.remaining -= taken;
      } else at = this.skipCharacters(chunk, at);
      if (this.remaining > 0 || at >= size) break;
      const byte = chunk[at] as number;
      if (isContinuation(byte)) {
        at++;
        continue;
      }
      if (this.element === 0 && this.recogniseOpcode()) return boundary;
      if (byte === SEMICOLON) {
        boundary = at + 1;
        this.element = 0;
        this.opcodeBytes = 0;
        this.instructionBytes = 0;
      } else if (byte === COMMA) {
        if (++this.element >= MAX_ELEMENTS) throw new GuacamoleProtocolError('too many elements');
      } else throw new GuacamoleProtocolError('bad element terminator');
      at++;
      this.inValue = false;
      this.length = 0;
      this.digits = 0;
    }
    this.instructionBytes += size - boundary;
    if (this.instructionBytes > this.maxInstructionBytes) throw new GuacamoleProtocolError('instruction too long');
    return boundary;
  }

  private readLength(chunk: Uint8Array, from: number): number {
    let at = from;
    while (at < chunk.length) {
      const byte = chunk[at++] as number;
      const digit = byte - ZERO;
      if (digit >= 0 && digit <= 9 && this.digits < MAX_LENGTH_DIGITS) {
        this.length = this.length * 10 + digit;
        this.digits++;
      } else if (byte === DOT && this.digits > 0) {
        if (this.length > this.maxInstructionBytes) throw new GuacamoleProtocolError('instruction too long');
        this.remaining = this.length;
        this.inValue = true;
        return at;
      } else throw new GuacamoleProtocolError('bad element length');
    }
    return at;
  }

  private readOpcode(chunk: Uint8Array, from: number): number {
    let at = from;
    while (this.remaining > 0 && at < chunk.length) {
      const byte = chunk[at++] as number;
      if (isContinuation(byte)) continue;
      this.remaining--;
      if (this.opcodeBytes < OPCODE_CAPTURE_BYTES) this.opcode[this.opcodeBytes++] = byte;
    }
    return at;
  }

  private skipCharacters(chunk: Uint8Array, from: number): number {
    let at = from;
    let remaining = this.remaining;
    while (remaining > 0 && at < chunk.length) if (!isContinuation(chunk[at++] as number)) remaining--;
    this.remaining = remaining;
    return at;
  }

  /** Counts a `sync`; true when the instruction ends the stream. */
  private recogniseOpcode(): boolean {
    const { opcode, opcodeBytes } = this;
    if (opcodeBytes === 4) {
      if (opcode.compare(SYNC, 0, 4, 0, 4) === 0) this.syncs++;
    } else if (opcodeBytes === 5 || opcodeBytes === 10) {
      const name = opcode.subarray(0, opcodeBytes);
      this.ended = ENDINGS.some((ending) => ending.equals(name));
    }
    return this.ended;
  }
}
