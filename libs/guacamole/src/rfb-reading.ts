/** What came is not the RFB protocol, or a kind of it that is not spoken here. The message never quotes what came. */
export class RfbError extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'RfbError';
  }
}

/** Reads a stream: yields how many bytes it needs next and is given exactly those. */
export type RfbReading<Result = void> = Generator<number, Result, Buffer>;

const SKIP_BYTES = 16 * 1024;

/** Leaves out `count` bytes without keeping them. */
export function* skip(count: number): RfbReading {
  for (let left = count; left > 0; ) left -= (yield Math.min(left, SKIP_BYTES)).length;
}

/** Feeds a reading with what comes, however TCP has cut it. Holds no more than the reading needs, and one chunk. */
export class RfbFeed {
  private parts: Buffer[] = [];
  private held = 0;
  private needed = 0;
  private ended = false;

  constructor(private readonly reading: RfbReading) {
    this.advance(reading.next());
  }

  /** Bytes held back until they are enough. */
  get heldBytes(): number {
    return this.held;
  }

  /** @throws whatever the reading throws; nothing may be taken after that */
  take(chunk: Buffer): void {
    this.parts.push(chunk);
    this.held += chunk.length;
    if (this.held < this.needed) return;
    let bytes = this.parts.length === 1 ? chunk : Buffer.concat(this.parts);
    while (!this.ended && bytes.length >= this.needed) {
      const given = bytes.subarray(0, this.needed);
      bytes = bytes.subarray(this.needed);
      this.advance(this.reading.next(given));
    }
    this.parts = bytes.length > 0 ? [bytes] : [];
    this.held = bytes.length;
  }

  private advance({ done, value }: IteratorResult<number, void>): void {
    this.ended = done === true;
    this.needed = value ?? 0;
  }
}
