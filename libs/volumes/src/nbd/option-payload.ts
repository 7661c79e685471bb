import { MAX_STRING_BYTES } from './protocol.js';

/** What a client said in an option does not hold what the option needs: it is told so. */
export class MalformedOption extends Error {}

/** Reads the fields of a handshake option. @throws MalformedOption */
export class OptionPayload {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  uint16(): number {
    return this.field(2).readUInt16BE(0);
  }

  uint32(): number {
    return this.field(4).readUInt32BE(0);
  }

  /** A length and so many bytes. */
  text(): string {
    const length = this.uint32();
    if (length > MAX_STRING_BYTES) throw new MalformedOption('a string is too long');
    return this.field(length).toString('utf8');
  }

  /** Nothing may be left. */
  end(): void {
    if (this.at !== this.bytes.length) throw new MalformedOption('more than the option holds');
  }

  private field(length: number): Buffer {
    if (this.at + length > this.bytes.length) throw new MalformedOption('less than the option holds');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}
