import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { DirectoryObjectStore } from '../directory/directory-object-store.js';
import { VolumeStore } from './volume-store.js';
import type { WrittenVersion } from './write-request.js';

/**
 * For a test that kills it: writes versions to the folder that it is given, half of each new, and says the id of each. With
 * a key (hexadecimal), each is encrypted, and written as changes of the one before.
 */
const [folder = '', keyHex] = process.argv.slice(2);
const key = keyHex === undefined ? undefined : Buffer.from(keyHex, 'hex');
const CHUNK_BYTES = 4096;
const CHUNKS = 60;
const volumes = new VolumeStore({
  objects: new DirectoryObjectStore(folder),
  logger: pino({ enabled: false }),
  holdTtlMs: 20_000,
});

const content = randomBytes(CHUNKS * CHUNK_BYTES);
const changed = [{ offset: 0, length: (CHUNKS / 2) * CHUNK_BYTES, isHole: false }];
const read = async (offset: number, length: number) => content.subarray(offset, offset + length);
let base: string | undefined;
for (;;) {
  randomBytes((CHUNKS / 2) * CHUNK_BYTES).copy(content, 0);
  const { id, number }: WrittenVersion =
    key && base
      ? await volumes.writeChanges({ volume: 'endless', base, changed, read, key })
      : await volumes.writeVersion(pieces(), { volume: 'endless', chunkBytes: CHUNK_BYTES, key });
  base = id;
  process.stdout.write(`${number} ${id}\n`);
}

async function* pieces(): AsyncIterable<Uint8Array> {
  yield content;
}
