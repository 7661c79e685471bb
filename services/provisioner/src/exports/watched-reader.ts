import { VolumeError, type VolumeErrorCode, type VolumeReader } from '#libs/volumes';

/** What whoever attaches a disk reads of it: QEMU for its geometry, guests for partitions. */
const PROBED_BYTES = 4096;

/**
 * A version as one machine reads it: what went wrong is known of that machine alone. While its application is set up,
 * reads have a limit of their own: after one that took longer nothing is read any more, so that the guest, which may try
 * again and again, goes on to its other applications at once.
 */
export class WatchedReader implements VolumeReader {
  private limitMs: number | undefined;
  private failure: VolumeError | undefined;

  constructor(
    private readonly reader: VolumeReader,
    private readonly onFailure: (error: VolumeError) => void,
  ) {}

  get sizeBytes(): number {
    return this.reader.sizeBytes;
  }

  /** Why a read has failed since the set-up began, the last one. */
  get lastFailure(): VolumeError | undefined {
    return this.failure;
  }

  /** From now on reads may take so long. */
  beginSetUp(limitMs: number): void {
    this.limitMs = limitMs;
    this.failure = undefined;
  }

  /** Reads take as long as the store lets them. */
  endSetUp(): void {
    this.limitMs = undefined;
  }

  async read(offset: number, length: number, options: { signal?: AbortSignal } = {}): Promise<Uint8Array> {
    if (this.limitMs === undefined) return this.watch(this.reader.read(offset, length, options));
    if (this.failure) throw this.failure;
    const { limitMs } = this;
    const controller = new AbortController();
    const late = new VolumeError('store-unavailable', `the store did not answer within ${limitMs} ms`);
    const timer = setTimeout(() => controller.abort(late), limitMs);
    const signal = options.signal ? AbortSignal.any([options.signal, controller.signal]) : controller.signal;
    try {
      return await this.watch(this.reader.read(offset, length, { signal }));
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Reads the first and the last of it. A machine stands still while QEMU looks at a disk that it is given: what it looks
   * at is on this host by then.
   */
  async readEnds(signal: AbortSignal): Promise<void> {
    const length = Math.min(PROBED_BYTES, this.sizeBytes);
    await Promise.all([0, this.sizeBytes - length].map((at) => this.read(at, length, { signal })));
  }

  extents(offset: number, length: number): ReturnType<VolumeReader['extents']> {
    return this.reader.extents(offset, length);
  }

  /** Nothing: the reader below is shared. */
  async close(): Promise<void> {}

  private async watch(read: Promise<Uint8Array>): Promise<Uint8Array> {
    try {
      return await read;
    } catch (error) {
      if (VolumeError.is(error, ...storeFailures)) {
        this.failure = error;
        this.onFailure(error);
      }
      throw error;
    }
  }
}

const storeFailures: readonly VolumeErrorCode[] = ['chunk-damaged', 'object-missing', 'store-unavailable'];
