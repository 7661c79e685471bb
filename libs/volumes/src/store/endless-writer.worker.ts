import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { DirectoryObjectStore } from '../directory/directory-object-store.js';
import { VolumeStore } from './volume-store.js';

/** For a test that kills it: writes versions to the folder that it is given, half of each new, and says the id of each. */
const [folder = ''] = process.argv.slice(2);
const CHUNK_BYTES = 4096;
const CHUNKS = 60;
const volumes = new VolumeStore({
  objects: new DirectoryObjectStore(folder),
  logger: pino({ enabled: false }),
  holdTtlMs: 20_000,
});

const content = randomBytes(CHUNKS * CHUNK_BYTES);
for (;;) {
  randomBytes((CHUNKS / 2) * CHUNK_BYTES).copy(content, 0);
  const { id, number } = await volumes.writeVersion(pieces(), { volume: 'endless', chunkBytes: CHUNK_BYTES });
  process.stdout.write(`${number} ${id}\n`);
}

async function* pieces(): AsyncIterable<Uint8Array> {
  yield content;
}
