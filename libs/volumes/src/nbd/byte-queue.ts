/** Bytes as they came, taken in the pieces that the protocol has. */
export class ByteQueue {
  private chunks: Buffer[] = [];
  private size = 0;

  get length(): number {
    return this.size;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.chunks.push(chunk);
    this.size += chunk.length;
  }

  /** The next `bytes` without taking them; undefined while fewer are here. */
  peek(bytes: number): Buffer | undefined {
    if (this.size < bytes) return undefined;
    let [first = Buffer.alloc(0)] = this.chunks;
    if (first.length < bytes) {
      first = Buffer.concat(this.chunks, this.size);
      this.chunks = [first];
    }
    return first.subarray(0, bytes);
  }

  /** Takes the next `bytes`; undefined, and nothing is taken, while fewer are here. */
  take(bytes: number): Buffer | undefined {
    const taken = this.peek(bytes);
    if (taken) this.drop(bytes);
    return taken;
  }

  /** Drops up to so many. @returns how many were here to drop */
  drop(bytes: number): number {
    const dropped = Math.min(bytes, this.size);
    let left = dropped;
    while (left > 0) {
      const first = this.chunks[0] as Buffer;
      if (first.length > left) {
        this.chunks[0] = first.subarray(left);
        break;
      }
      this.chunks.shift();
      left -= first.length;
    }
    this.size -= dropped;
    return dropped;
  }

  clear(): void {
    this.chunks = [];
    this.size = 0;
  }
}
