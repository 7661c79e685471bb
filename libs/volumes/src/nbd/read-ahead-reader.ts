import type { VolumeReader } from '../volume-reader.js';
import { ReadStreams } from './read-streams.js';

export interface ReadAheadSizes {
  /** The most that is read ahead of one stream. */
  readonly aheadBytes: number;
  /** The most that is kept for all streams of a volume. */
  readonly keptBytes: number;
  /** A client that itself asks for so much at once needs no help. */
  readonly busyReads: number;
  /** Nothing is read ahead while reads take less than this on average: what is near already gains nothing. */
  readonly slowReadMs: number;
  /** A read ahead is given up after this. */
  readonly timeoutMs: number;
}

export const defaultReadAhead: ReadAheadSizes = {
  aheadBytes: 1 << 20,
  keptBytes: 4 << 20,
  busyReads: 4,
  slowReadMs: 0.5,
  timeoutMs: 20_000,
};

interface Window {
  readonly from: number;
  readonly to: number;
  readonly bytes: Promise<Uint8Array>;
  readonly controller: AbortController;
  isSettled: boolean;
  /** Bytes of it not handed out yet: what has been read on and on once is not read again. */
  left: number;
}

/** Reads ahead of whoever reads a volume on and on, and keeps that until it is asked for, within bounds. */
export class ReadAheadReader implements VolumeReader {
  private readonly streams = new ReadStreams();
  private windows: Window[] = [];
  /** Being read, also those that are no longer kept for anyone who asks later. */
  private readonly pending = new Set<Window>();
  private keptBytes = 0;
  /** Of late, each counting for a quarter. */
  private averageReadMs = 0;
  private readsUnderWay = 0;
  private stopped = false;

  constructor(
    private readonly reader: VolumeReader,
    private readonly sizes: ReadAheadSizes,
  ) {}

  get sizeBytes(): number {
    return this.reader.sizeBytes;
  }

  extents(offset: number, length: number): ReturnType<VolumeReader['extents']> {
    return this.reader.extents(offset, length);
  }

  async read(offset: number, length: number, options?: { signal?: AbortSignal }): Promise<Uint8Array> {
    const end = offset + length;
    const window = this.windows.find(({ from, to }) => offset < to && end > from);
    this.readsUnderWay++;
    try {
      const bytes = window ? this.fromWindow(window, offset, length, options) : this.readBelow(offset, length, options);
      this.lookAhead(offset, length);
      return await bytes;
    } finally {
      this.readsUnderWay--;
    }
  }

  /** Gives up what it reads ahead and waits for its end; the reader below stays open. */
  async stop(): Promise<void> {
    this.stopped = true;
    const ends = [...this.pending].map(({ bytes }) => bytes.catch(() => undefined));
    this.forgetAll();
    await Promise.all(ends);
  }

  /** Keeps nothing, and gives up what is still being read ahead. */
  forgetAll(): void {
    for (const window of this.windows) this.forget(window);
    for (const { controller } of this.pending) controller.abort(new Error('nobody waits for it any more'));
  }

  async close(): Promise<void> {
    await this.stop();
    await this.reader.close();
  }

  private async fromWindow(
    window: Window,
    offset: number,
    length: number,
    options?: { signal?: AbortSignal },
  ): Promise<Uint8Array> {
    const end = offset + length;
    const from = Math.max(offset, window.from);
    const to = Math.min(end, window.to);
    window.left -= to - from;
    if (window.left <= 0) this.forget(window);
    const ahead = await unlessAborted(window.bytes, options?.signal).catch(() => undefined);
    // What went wrong then may go well now, and its error is for the one who asks.
    if (!ahead) {
      options?.signal?.throwIfAborted();
      return this.reader.read(offset, length, options);
    }
    const middle = ahead.subarray(from - window.from, to - window.from);
    if (middle.length === length) return middle;
    const [before, after] = await Promise.all([
      this.readDirectly(offset, from, options),
      this.readDirectly(to, end, options),
    ]);
    return Buffer.concat([before, middle, after], length);
  }

  private async readBelow(offset: number, length: number, options?: { signal?: AbortSignal }): Promise<Uint8Array> {
    const from = performance.now();
    try {
      return await this.reader.read(offset, length, options);
    } finally {
      this.averageReadMs += (performance.now() - from - this.averageReadMs) / 4;
    }
  }

  private readDirectly(from: number, to: number, options?: { signal?: AbortSignal }): Promise<Uint8Array> {
    return to > from ? this.reader.read(from, to - from, options) : Promise.resolve(new Uint8Array());
  }

  private lookAhead(offset: number, length: number): void {
    const stream = this.streams.saw(offset, length);
    if (!stream || this.stopped || this.readsUnderWay > this.sizes.busyReads) return;
    if (this.averageReadMs < this.sizes.slowReadMs) return;
    const wanted = Math.min(this.sizes.aheadBytes, 2 * stream.runBytes);
    stream.aheadTo = Math.max(stream.aheadTo, stream.next);
    // In few large reads: not again before half of it has been used.
    if (stream.aheadTo - stream.next > wanted / 2) return;
    const to = Math.min(stream.next + wanted, this.reader.sizeBytes);
    if (to <= stream.aheadTo) return;
    for (const extent of this.reader.extents(stream.aheadTo, to - stream.aheadTo)) {
      if (!extent.isHole && !this.open(extent.offset, extent.offset + extent.length)) return;
      stream.aheadTo = extent.offset + extent.length;
    }
  }

  private open(from: number, to: number): boolean {
    if (this.windows.some((window) => from < window.to && to > window.from)) return true;
    while (this.keptBytes + to - from > this.sizes.keptBytes) {
      const oldest = this.windows.find(({ isSettled }) => isSettled);
      if (!oldest) return false;
      this.forget(oldest);
    }
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(new Error('reading ahead took too long')), this.sizes.timeoutMs);
    const bytes = this.readBelow(from, to - from, { signal: controller.signal });
    const window: Window = { from, to, bytes, controller, isSettled: false, left: to - from };
    this.windows.push(window);
    this.keptBytes += to - from;
    this.pending.add(window);
    const settled = (): void => {
      clearTimeout(timer);
      this.pending.delete(window);
      window.isSettled = true;
    };
    bytes.then(settled, () => {
      settled();
      this.forget(window);
    });
    return true;
  }

  private forget(window: Window): void {
    const others = this.windows.filter((other) => other !== window);
    if (others.length === this.windows.length) return;
    this.windows = others;
    this.keptBytes -= window.to - window.from;
  }
}

function unlessAborted<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
