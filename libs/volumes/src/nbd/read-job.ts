import type { VolumeReader } from '../volume-reader.js';
import { commandFlag } from './protocol.js';
import type { NbdRequest } from './request.js';

/** A part of a read that is answered by itself. */
export interface ReadPiece {
  readonly offset: number;
  readonly length: number;
  readonly isHole: boolean;
}

/** Large reads are answered in pieces, cut at multiples of this: as a chunk store keeps them, and as they come. */
const PIECE_BYTES = 256 << 10;

/** A client's read request, in pieces. */
export class ReadJob {
  dataBytes = 0;
  /** Why it cannot be answered well. */
  failure: { readonly offset: number; readonly reason: string } | undefined;

  private pieces: ReadPiece[] | undefined;
  private started = 0;
  private ended = 0;

  constructor(
    readonly request: NbdRequest,
    readonly structured: boolean,
    readonly arrivedAt: number,
    private readonly reader: VolumeReader,
  ) {}

  /** The piece to start next; undefined when all have been. */
  get next(): ReadPiece | undefined {
    this.pieces ??= this.cut();
    return this.pieces[this.started];
  }

  start(): void {
    this.started++;
  }

  /** After a failure no more of it is read. */
  skipRest(): void {
    this.pieces = this.pieces?.slice(0, this.started);
  }

  /** @returns whether it was the last */
  end(): boolean {
    this.ended++;
    return this.ended === this.pieces?.length;
  }

  private cut(): ReadPiece[] {
    const { offset, length, flags } = this.request;
    // A reply of one chunk, or one whose head already says that all went well, needs all bytes first.
    if (!this.structured || flags & commandFlag.dontFragment) return [{ offset, length, isHole: false }];
    const pieces: ReadPiece[] = [];
    for (const extent of this.reader.extents(offset, length)) {
      const end = extent.offset + extent.length;
      for (let at = extent.offset; at < end; ) {
        const to = extent.isHole ? end : Math.min(end, at - (at % PIECE_BYTES) + PIECE_BYTES);
        pieces.push({ offset: at, length: to - at, isHole: extent.isHole });
        at = to;
      }
    }
    return pieces;
  }
}
