import { describe, expect, it } from '@jest/globals';
import { VolumeError, type VolumeReader } from '#libs/volumes';
import { WatchedReader } from './watched-reader.js';

/** A reader that answers with what is put in. */
class ScriptedReader implements VolumeReader {
  readonly sizeBytes = 100;
  reads = 0;
  answer: (signal: AbortSignal | undefined) => Promise<Uint8Array> = async () => new Uint8Array(1);
  read(_: number, __: number, options?: { signal?: AbortSignal }): Promise<Uint8Array> {
    this.reads += 1;
    return this.answer(options?.signal);
  }
  extents(): [] {
    return [];
  }
  async close(): Promise<void> {}
}

const never = (signal: AbortSignal | undefined) =>
  new Promise<Uint8Array>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));

describe('WatchedReader', () => {
  const make = () => {
    const below = new ScriptedReader();
    const failures: string[] = [];
    return { below, failures, reader: new WatchedReader(below, ({ code }) => failures.push(code)) };
  };

  it('tells of what the store could not answer well, and of nothing else', async () => {
    const { below, failures, reader } = make();
    below.answer = async () => Promise.reject(new VolumeError('chunk-damaged', 'bad'));
    await expect(reader.read(0, 1)).rejects.toThrow('bad');
    below.answer = async () => Promise.reject(new VolumeError('closed', 'closed'));
    await expect(reader.read(0, 1)).rejects.toThrow('closed');
    expect(failures).toEqual(['chunk-damaged']);
    below.answer = async () => new Uint8Array(1);
    await expect(reader.read(0, 1)).resolves.toHaveLength(1);
  });

  it('reads no more of a volume that was too slow while it was set up, until it is set up anew', async () => {
    const { below, failures, reader } = make();
    reader.beginSetUp(20);
    below.answer = never;
    await expect(reader.read(0, 1)).rejects.toMatchObject({ code: 'store-unavailable' });
    await expect(reader.read(0, 1)).rejects.toMatchObject({ code: 'store-unavailable' });
    expect([below.reads, failures, reader.lastFailure?.code]).toEqual([1, ['store-unavailable'], 'store-unavailable']);
    below.answer = async () => new Uint8Array(1);
    reader.beginSetUp(20);
    await reader.read(0, 1);
    expect(reader.lastFailure).toBeUndefined();
  });

  it('reads the two ends of a volume, which may be one', async () => {
    const asked: string[] = [];
    const below = {
      sizeBytes: 10_000,
      read: async (at: number, length: number) => {
        asked.push(`${at}+${length}`);
        return new Uint8Array(length);
      },
      extents: () => [],
      close: async () => undefined,
    };
    await new WatchedReader(below, () => undefined).readEnds(new AbortController().signal);
    await new WatchedReader({ ...below, sizeBytes: 100 }, () => undefined).readEnds(new AbortController().signal);
    expect(asked).toEqual(['0+4096', '5904+4096', '0+100', '0+100']);
  });

  it('gives reads the time they need once it is set up', async () => {
    const { below, reader } = make();
    reader.beginSetUp(10);
    reader.endSetUp();
    let answer = (_: Uint8Array): void => undefined;
    below.answer = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const read = reader.read(0, 1);
    await new Promise((resolve) => setTimeout(resolve, 30));
    answer(new Uint8Array(1));
    await expect(read).resolves.toHaveLength(1);
  });
});
