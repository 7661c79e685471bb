/** Someone who reads on and on. */
export interface ReadStream {
  /** Where the next read is expected. */
  next: number;
  /** What has been read without a gap. */
  runBytes: number;
  /** How far has been read ahead. */
  aheadTo: number;
}

const MAX_STREAMS = 16;

/** Recognises, among reads at many places, those that go on where another ended. */
export class ReadStreams {
  /** The last used is the last. */
  private streams: ReadStream[] = [];

  /** @returns the stream that the read goes on with; undefined when it begins somewhere new */
  saw(offset: number, length: number): ReadStream | undefined {
    const at = this.streams.findIndex(({ next }) => next === offset);
    const stream = at < 0 ? undefined : this.streams.splice(at, 1)[0];
    if (!stream) {
      this.streams.push({ next: offset + length, runBytes: length, aheadTo: 0 });
      if (this.streams.length > MAX_STREAMS) this.streams.shift();
      return undefined;
    }
    stream.next = offset + length;
    stream.runBytes += length;
    this.streams.push(stream);
    return stream;
  }
}
