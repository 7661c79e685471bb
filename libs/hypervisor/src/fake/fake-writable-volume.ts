import { randomUUID } from 'node:crypto';
import type { WritableMachineVolume } from '../machine-volume.js';
import type { ByteExtent, VolumeViewReader } from '../volume-view.js';

/** What is kept, and told as changed, at once. */
const BLOCK_BYTES = 64 << 10;

/** What a fake volume was served as: what its blocks hold until somebody writes over them. */
export type FakeServedContent = (volume: WritableMachineVolume, offset: number, length: number) => Promise<Buffer>;

type Blocks = ReadonlyMap<number, Buffer>;

interface FakeView {
  readonly id: string;
  readonly blocks: Blocks;
  readonly changed: ReadonlySet<number>;
}

/** A writable volume in memory: blocks that were written, over what is served. */
export class FakeWritableVolume {
  private readonly blocks = new Map<number, Buffer>();
  private changed = new Set<number>();
  private open: FakeView | undefined;
  /** Set when its machine's process or the volume itself is gone. */
  private isGone = false;

  constructor(
    readonly volume: WritableMachineVolume,
    private readonly served: FakeServedContent,
  ) {}

  async write(offset: number, bytes: Buffer): Promise<void> {
    for (const [block, from, to] of this.blocksOf(offset, bytes.length)) {
      const before = await this.block(this.blocks, block);
      // Another buffer, so that views keep theirs.
      const after = Buffer.from(before);
      bytes.copy(after, Math.max(0, offset - block * BLOCK_BYTES), from - offset, to - offset);
      this.blocks.set(block, after);
      this.changed.add(block);
    }
  }

  read(offset: number, length: number): Promise<Buffer> {
    return this.readFrom(this.blocks, offset, length);
  }

  get openViewId(): string | undefined {
    return this.open?.id;
  }

  /** To be called when none is open. @returns its id */
  view(): string {
    const id = randomUUID();
    this.open = { id, blocks: new Map(this.blocks), changed: this.changed };
    this.changed = new Set();
    return id;
  }

  openReader(viewId: string): VolumeViewReader {
    const view = this.open;
    let isClosed = false;
    const requireOpen = () => {
      if (isClosed || this.isGone || view?.id !== viewId || this.open !== view) throw new Error('the view is closed');
      return view;
    };
    return {
      sizeBytes: this.volume.sizeBytes,
      changed: this.extents(requireOpen().changed),
      read: async (offset, length, signal) => {
        signal?.throwIfAborted();
        const bytes = await this.readFrom(requireOpen().blocks, offset, length);
        requireOpen();
        return bytes;
      },
      close: async () => {
        isClosed = true;
      },
    };
  }

  /** Another id than that of the open one is left alone; without an id, whichever is open. */
  closeView(viewId: string | undefined, outcome: 'confirmed' | 'dropped'): void {
    const view = this.open;
    if (!view || (viewId !== undefined && view.id !== viewId)) return;
    this.open = undefined;
    if (outcome === 'dropped') for (const block of view.changed) this.changed.add(block);
  }

  end(): void {
    this.isGone = true;
  }

  private async readFrom(blocks: Blocks, offset: number, length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (const [block, from, to] of this.blocksOf(offset, length)) {
      const bytes = await this.block(blocks, block);
      parts.push(bytes.subarray(from - block * BLOCK_BYTES, to - block * BLOCK_BYTES));
    }
    return Buffer.concat(parts);
  }

  private async block(blocks: Blocks, block: number): Promise<Buffer> {
    const offset = block * BLOCK_BYTES;
    const length = Math.min(BLOCK_BYTES, this.volume.sizeBytes - offset);
    return blocks.get(block) ?? (await this.served(this.volume, offset, length));
  }

  /** The blocks that a range touches, and what of it lies in each. */
  private blocksOf(offset: number, length: number): [block: number, from: number, to: number][] {
    const end = offset + length;
    if (offset < 0 || length < 0 || end > this.volume.sizeBytes) throw new RangeError('beyond the end of the volume');
    const found: [number, number, number][] = [];
    for (let at = offset; at < end; ) {
      const block = Math.floor(at / BLOCK_BYTES);
      const to = Math.min(end, (block + 1) * BLOCK_BYTES);
      found.push([block, at, to]);
      at = to;
    }
    return found;
  }

  private extents(changed: ReadonlySet<number>): ByteExtent[] {
    const extents: { offset: number; length: number }[] = [];
    for (const block of [...changed].sort((a, b) => a - b)) {
      const offset = block * BLOCK_BYTES;
      const length = Math.min(BLOCK_BYTES, this.volume.sizeBytes - offset);
      const last = extents.at(-1);
      if (last && last.offset + last.length === offset) last.length += length;
      else extents.push({ offset, length });
    }
    return extents;
  }
}
