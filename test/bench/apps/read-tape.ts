import type { VolumeReader } from '#libs/volumes';
import { VolumeStore } from '#libs/volumes';

/** A read of a volume. */
export interface TapedRead {
  readonly offset: number;
  readonly length: number;
}

/** A volume store that keeps what is read of its versions, read-ahead included. */
export class TapingStore extends VolumeStore {
  readonly tape: TapedRead[] = [];

  override async openVersion(...call: Parameters<VolumeStore['openVersion']>): Promise<VolumeReader> {
    const reader = await super.openVersion(...call);
    const read = reader.read.bind(reader);
    reader.read = (offset, length, options) => {
      this.tape.push({ offset, length });
      return read(offset, length, options);
    };
    return reader;
  }
}

/** What chunks of this length hold of what was read, in bytes before compression. */
export function touchedBytes(tape: readonly TapedRead[], chunkBytes: number, sizeBytes: number): number {
  const touched = new Set<number>();
  for (const { offset, length } of tape) {
    for (let index = Math.floor(offset / chunkBytes); index * chunkBytes < offset + length; index++) touched.add(index);
  }
  let bytes = 0;
  for (const index of touched) bytes += Math.min(chunkBytes, sizeBytes - index * chunkBytes);
  return bytes;
}
