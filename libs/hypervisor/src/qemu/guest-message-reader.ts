export const MAX_MESSAGE_BYTES = 200;
/** What a guest may say in a second; what is more is dropped. */
export const MESSAGES_PER_SECOND = 10;
const WINDOW_MS = 1_000;
/** What is read of a guest in a second. It waits with the rest, so that a guest that floods costs its host nothing. */
const BYTES_PER_WINDOW = 16 << 10;

const ALLOWED = /^[\x20-\x7e]+$/;

/** Makes messages of what a guest writes, and drops whatever is no message or too much. */
export class GuestMessageReader {
  private line = '';
  /** The rest of a line that has become too long. */
  private skips = false;
  private windowEndsAt = 0;
  private messages = 0;
  private bytes = 0;

  /** @param nowMs a clock that never goes back */
  constructor(
    private readonly tell: (text: string) => void,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** @returns for how many milliseconds nothing more is to be read */
  push(chunk: Buffer): number {
    const now = this.nowMs();
    if (now >= this.windowEndsAt) {
      this.windowEndsAt = now + WINDOW_MS;
      this.messages = 0;
      this.bytes = 0;
    }
    this.bytes += chunk.length;
    // One character for each byte: what is allowed in a message is ASCII.
    const pieces = chunk.toString('latin1').split('\n');
    const rest = pieces.pop() ?? '';
    for (const piece of pieces) {
      this.keep(piece);
      this.endLine();
    }
    this.keep(rest);
    return this.bytes > BYTES_PER_WINDOW ? this.windowEndsAt - now : 0;
  }

  private keep(piece: string): void {
    if (this.skips) return;
    if (this.line.length + piece.length > MAX_MESSAGE_BYTES) {
      this.skips = true;
      this.line = '';
    } else this.line += piece;
  }

  private endLine(): void {
    const { line, skips } = this;
    this.line = '';
    this.skips = false;
    if (skips || !ALLOWED.test(line) || this.messages >= MESSAGES_PER_SECOND) return;
    this.messages += 1;
    this.tell(line);
  }
}
