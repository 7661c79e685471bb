import { createHash, type Hash } from 'node:crypto';
import { encodeInstruction, type Instruction, type LengthUnit, parseInstructions } from './instruction.js';

/** The stream of copied texts towards the browser: a number that guacd, which counts its own from 0, never gets to. */
export const COPY_STREAM = '1000000';

/** Before base64; a multiple of 3, so that only the last piece is padded. */
const BLOB_BYTES = 4_500;
/** How long a text from the browser may take to come back to be known as its own. */
const ECHO_WINDOW_MS = 10_000;
/** guacd has no more streams than this open at once. */
const MAX_LEFT_OUT = 64;

/**
 * The clipboard of one tunnel, when the desktop tells the gateway what is copied: brings such texts into the stream of
 * the browser, without those that the browser itself has sent, and keeps guacd's own copies of them out of it. Of what
 * the browser sends it keeps a digest only.
 */
export class RelayClipboard {
  /** Copies come by `offer`; guacd's are left out. */
  takesOver = false;

  private waiting: Buffer | undefined;
  private sending: { readonly stream: string; readonly hash: Hash } | undefined;
  private sent: { readonly digest: string; readonly atMs: number } | undefined;
  private clipboardsSeen = 0;
  private begunBefore = false;
  private readonly leftOut = new Set<string>();

  constructor(private readonly lengthUnit: LengthUnit) {}

  /** What waits for `take`. */
  get waitingBytes(): number {
    return this.waiting?.length ?? 0;
  }

  /** Something was copied in the desktop; it takes the place of what still waits. */
  offer(text: string): void {
    const bytes = Buffer.from(text, 'utf8');
    const { sent } = this;
    const isEcho = sent && Date.now() - sent.atMs < ECHO_WINDOW_MS && sent.digest === digestOf(bytes);
    this.waiting = isEcho ? undefined : bytes;
  }

  /** @returns the instructions that give the browser what waits; empty when nothing does */
  take(): string {
    const { waiting } = this;
    if (!waiting) return '';
    this.waiting = undefined;
    let instructions = encodeInstruction(['clipboard', COPY_STREAM, 'text/plain']);
    for (let start = 0; start < waiting.length; start += BLOB_BYTES) {
      const piece = waiting.subarray(start, start + BLOB_BYTES).toString('base64');
      instructions += encodeInstruction(['blob', COPY_STREAM, piece]);
    }
    return instructions + encodeInstruction(['end', COPY_STREAM]);
  }

  /** Looks at an instruction of the browser that goes to guacd. */
  sawFromBrowser([opcode, stream = '', data = '']: Instruction): void {
    if (opcode === 'clipboard') this.sending = { stream, hash: createHash('sha256') };
    else if (stream !== this.sending?.stream) return;
    else if (opcode === 'blob') this.sending.hash.update(withoutReturns(Buffer.from(data, 'base64')));
    else if (opcode === 'end') {
      this.sent = { digest: this.sending.hash.digest('hex'), atMs: Date.now() };
      this.sending = undefined;
    }
  }

  /**
   * Leaves guacd's copies out of a message of whole instructions.
   * @param clipboards how many `clipboard` instructions guacd has begun so far, which may be one more than it has ended
   */
  filter(message: Buffer, clipboards: number): Buffer {
    const begun = clipboards > this.clipboardsSeen;
    const suspicious = begun || this.begunBefore;
    this.clipboardsSeen = clipboards;
    this.begunBefore = begun;
    // Nearly every message takes this way.
    if (this.leftOut.size === 0 && !(suspicious && this.takesOver)) return message;
    const instructions = parseInstructions(message.toString('utf8'), this.lengthUnit);
    const kept = instructions.filter((instruction) => !this.leavesOut(instruction));
    return Buffer.from(kept.map((instruction) => encodeInstruction(instruction, this.lengthUnit)).join(''));
  }

  private leavesOut([opcode, stream = '']: Instruction): boolean {
    if (opcode === 'clipboard' && this.takesOver && this.leftOut.size < MAX_LEFT_OUT) {
      this.leftOut.add(stream);
      return true;
    }
    if (opcode === 'end') return this.leftOut.delete(stream);
    return opcode === 'blob' && this.leftOut.has(stream);
  }
}

/** The ends of lines may change on the way. */
const withoutReturns = (bytes: Buffer): Buffer => Buffer.from(bytes.filter((byte) => byte !== 0x0d));

const digestOf = (bytes: Buffer): string => createHash('sha256').update(withoutReturns(bytes)).digest('hex');
