import { DIGEST_BYTES, type Digest, digestOf } from '../chunk/digest.js';
import { KEY_CHECK_BYTES } from '../chunk/sealed-chunks.js';
import { VolumeError } from '../volume-error.js';

const MAGIC = 0x31564c47; // "GLV1", little endian
/** That of a version whose chunks are encrypted: the header goes on with the check of the key. */
const SEALED_MAGIC = 0x32564c47; // "GLV2"
const HEADER_BYTES = 20;
const RUN_BYTES = 8;
const HOLE = -1;
const MAX_CHUNKS = 2 ** 26;
const MIN_CHUNK_BYTES = 4096;
const MAX_CHUNK_BYTES = 4 * 1024 * 1024;

export interface ManifestChunk {
  /** Position in the volume, counted in chunks. */
  readonly index: number;
  readonly digest: Digest;
  /** Length of its content: the chunk length of the manifest, less for the last one. */
  readonly bytes: number;
}

/**
 * Which chunks make up a version; what is not named is a hole. Stored as a header (magic, chunk length, volume length,
 * number of runs, and the check of the key when the chunks are encrypted), runs of consecutive chunks (first, count) and the
 * digests in order; all integers little endian. The digest of these bytes is the id of the version.
 */
export class Manifest {
  /** For each chunk of the volume its place among the digests, or HOLE. */
  private readonly places: Int32Array;

  private constructor(
    readonly sizeBytes: number,
    readonly chunkBytes: number,
    private readonly digests: Buffer,
    private readonly runs: readonly (readonly [first: number, count: number])[],
    /** Undefined when the chunks are not encrypted. */
    readonly keyCheck: Buffer | undefined,
  ) {
    this.places = new Int32Array(Math.ceil(sizeBytes / chunkBytes)).fill(HOLE);
    let place = 0;
    for (const [first, count] of runs) {
      for (let index = first; index < first + count; index++) this.places[index] = place++;
    }
  }

  /** @param chunks the digest for each chunk that is not a hole; whoever calls made sure that the lengths are right */
  static of(
    sizeBytes: number,
    chunkBytes: number,
    chunks: ReadonlyMap<number, Digest>,
    keyCheck?: Buffer | undefined,
  ): Manifest {
    checkSizes(sizeBytes, chunkBytes);
    const runs: [number, number][] = [];
    const indexes = [...chunks.keys()].sort((a, b) => a - b);
    for (const index of indexes) {
      const last = runs.at(-1);
      if (last && last[0] + last[1] === index) last[1]++;
      else runs.push([index, 1]);
    }
    const digests = Buffer.concat(indexes.map((index) => Buffer.from(chunks.get(index) ?? '', 'hex')));
    return new Manifest(sizeBytes, chunkBytes, digests, runs, keyCheck);
  }

  /** @throws VolumeError 'manifest-damaged' unless these are the very bytes that have this id */
  static decode(id: Digest, bytes: Uint8Array): Manifest {
    if (digestOf(bytes) !== id) throw new VolumeError('manifest-damaged', `the manifest ${id} is damaged in the store`);
    const from = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const refuse = () => new VolumeError('manifest-damaged', `${id} is not a manifest that this version can read`);
    const magic = from.length < HEADER_BYTES ? undefined : from.readUInt32LE(0);
    if (magic !== MAGIC && magic !== SEALED_MAGIC) throw refuse();
    const runsAt = magic === SEALED_MAGIC ? HEADER_BYTES + KEY_CHECK_BYTES : HEADER_BYTES;
    const chunkBytes = from.readUInt32LE(4);
    const sizeBytes = Number(from.readBigUInt64LE(8));
    const runCount = from.readUInt32LE(16);
    const digestsAt = runsAt + runCount * RUN_BYTES;
    if (from.length < digestsAt) throw refuse();
    checkSizes(sizeBytes, chunkBytes);
    const runs: [number, number][] = [];
    let end = 0;
    let total = 0;
    for (let at = runsAt; at < digestsAt; at += RUN_BYTES) {
      const run: [number, number] = [from.readUInt32LE(at), from.readUInt32LE(at + 4)];
      if (run[0] < end || run[1] === 0) throw refuse();
      end = run[0] + run[1];
      total += run[1];
      runs.push(run);
    }
    if (end > Math.ceil(sizeBytes / chunkBytes) || from.length !== digestsAt + total * DIGEST_BYTES) throw refuse();
    const keyCheck = magic === SEALED_MAGIC ? from.subarray(HEADER_BYTES, runsAt) : undefined;
    return new Manifest(sizeBytes, chunkBytes, from.subarray(digestsAt), runs, keyCheck);
  }

  encode(): { readonly id: Digest; readonly bytes: Buffer } {
    const head = Buffer.alloc(HEADER_BYTES);
    head.writeUInt32LE(this.keyCheck ? SEALED_MAGIC : MAGIC, 0);
    head.writeUInt32LE(this.chunkBytes, 4);
    head.writeBigUInt64LE(BigInt(this.sizeBytes), 8);
    head.writeUInt32LE(this.runs.length, 16);
    const runs = Buffer.alloc(this.runs.length * RUN_BYTES);
    for (const [at, [first, count]] of this.runs.entries()) {
      runs.writeUInt32LE(first, at * RUN_BYTES);
      runs.writeUInt32LE(count, at * RUN_BYTES + 4);
    }
    const bytes = Buffer.concat([head, this.keyCheck ?? Buffer.alloc(0), runs, this.digests]);
    return { id: digestOf(bytes), bytes };
  }

  get isEncrypted(): boolean {
    return this.keyCheck !== undefined;
  }

  /** Length of the volume in chunks, holes counted. */
  get length(): number {
    return this.places.length;
  }

  /** Bytes of content in chunks that are not holes. */
  get dataBytes(): number {
    let sum = 0;
    for (const [first, count] of this.runs) {
      sum += Math.min(this.sizeBytes, (first + count) * this.chunkBytes) - first * this.chunkBytes;
    }
    return sum;
  }

  /** Undefined for a hole. */
  chunkAt(index: number): ManifestChunk | undefined {
    const place = this.places[index] ?? HOLE;
    if (place === HOLE) return undefined;
    const digest = this.digests.toString('hex', place * DIGEST_BYTES, (place + 1) * DIGEST_BYTES);
    return { index, digest, bytes: Math.min(this.chunkBytes, this.sizeBytes - index * this.chunkBytes) };
  }

  isHoleAt(index: number): boolean {
    return (this.places[index] ?? HOLE) === HOLE;
  }

  /** All that are not holes, in order. The same digest may occur more than once. */
  *chunks(): Iterable<ManifestChunk> {
    for (const [first, count] of this.runs) {
      for (let index = first; index < first + count; index++) {
        const chunk = this.chunkAt(index);
        if (chunk) yield chunk;
      }
    }
  }
}

function checkSizes(sizeBytes: number, chunkBytes: number): void {
  const isPowerOfTwo = (chunkBytes & (chunkBytes - 1)) === 0;
  if (!isPowerOfTwo || chunkBytes < MIN_CHUNK_BYTES || chunkBytes > MAX_CHUNK_BYTES) {
    throw new VolumeError('invalid', `a chunk length of ${chunkBytes} is not a power of two from 4 KiB to 4 MiB`);
  }
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0 || sizeBytes / chunkBytes > MAX_CHUNKS) {
    throw new VolumeError('invalid', `a volume cannot have ${sizeBytes} bytes in chunks of ${chunkBytes}`);
  }
}
