import { isAscii, isUtf8 } from 'node:buffer';
import { encodeInstruction, type Instruction, type LengthUnit, parseInstructions } from './instruction.js';
import { InstructionScanner } from './instruction-scanner.js';
import { GuacamoleProtocolError } from './protocol-error.js';

const NOTHING = Buffer.alloc(0);
const BEYOND_BMP = /[\u{10000}-\u{10FFFF}]/u;

/** Makes whole instructions out of what guacd sends, however TCP has cut it. */
export class DesktopStream {
  private readonly scanner: InstructionScanner;
  /** The beginning of an instruction whose end has not come yet, in the pieces it came in. */
  private pending: Buffer[] = [];
  private pendingLength = 0;

  /** @param lengthUnit what the browser counts; guacd counts code points */
  constructor(
    maxInstructionBytes: number,
    private readonly lengthUnit: LengthUnit,
  ) {
    this.scanner = new InstructionScanner(maxInstructionBytes);
  }

  /** Frames begun so far. */
  get syncs(): number {
    return this.scanner.syncs;
  }

  /** Texts for the clipboard begun so far. */
  get clipboards(): number {
    return this.scanner.clipboards;
  }

  /** Bytes held back until their instruction is whole. */
  get pendingBytes(): number {
    return this.pendingLength;
  }

  /** True after guacd has said `error` or `disconnect`: nothing more is to be taken. */
  get ended(): boolean {
    return this.scanner.ended;
  }

  /**
   * @returns the whole instructions that are now there, as one websocket message; empty when there are none
   * @throws GuacamoleProtocolError when the stream is not valid
   */
  take(chunk: Buffer): Buffer {
    const boundary = this.scanner.scan(chunk);
    if (boundary === 0) {
      this.hold(chunk);
      return NOTHING;
    }
    const head = boundary === chunk.length ? chunk : chunk.subarray(0, boundary);
    const batch = this.pendingLength === 0 ? head : Buffer.concat([...this.pending, head]);
    this.pending = [];
    this.pendingLength = 0;
    if (boundary < chunk.length) this.hold(chunk.subarray(boundary));
    return this.fitForText(batch);
  }

  /** The status of the `error` instruction that ended the stream; undefined for `disconnect` or when it is not whole. */
  errorStatus(): number | undefined {
    try {
      const [opcode, ...args] = parseInstructions(Buffer.concat(this.pending).toString('utf8'))[0] ?? [''];
      return opcode === 'error' ? Number(args[1]) : undefined;
    } catch {
      return undefined;
    }
  }

  private hold(part: Buffer): void {
    this.pending.push(part);
    this.pendingLength += part.length;
  }

  private fitForText(batch: Buffer): Buffer {
    if (isAscii(batch)) return batch;
    // A text message that is not UTF-8 makes the browser close the whole connection.
    if (!isUtf8(batch)) throw new GuacamoleProtocolError('not UTF-8');
    if (this.lengthUnit === 'code-points') return batch;
    const text = batch.toString('utf8');
    if (!BEYOND_BMP.test(text)) return batch;
    const recount = (instruction: Instruction): string => encodeInstruction(instruction, this.lengthUnit);
    return Buffer.from(parseInstructions(text).map(recount).join(''));
  }
}
