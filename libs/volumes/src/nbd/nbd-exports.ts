import type { VolumeReader } from '../volume-reader.js';
import type { ExportDirectory } from './handshake.js';
import { NbdExport } from './nbd-export.js';
import { MAX_STRING_BYTES } from './protocol.js';
import { defaultReadAhead, ReadAheadReader, type ReadAheadSizes } from './read-ahead-reader.js';

export interface NbdExportOptions {
  /** For people; clients may ask for it. */
  readonly description?: string;
  /** How far to read ahead of clients that read on and on; false for not at all. */
  readonly readAhead?: Partial<ReadAheadSizes> | false;
}

/** The exports of one or several servers, by name. */
export class NbdExports implements ExportDirectory<NbdExport> {
  private readonly byName = new Map<string, NbdExport>();

  /**
   * Clients can open it from now on. The reader stays the caller's: close it after `remove`.
   * @throws when the name is taken, empty or too long for the protocol
   */
  add(name: string, reader: VolumeReader, options: NbdExportOptions = {}): void {
    const bytes = Buffer.byteLength(name);
    if (bytes === 0 || bytes > MAX_STRING_BYTES)
      throw new RangeError(`an export's name has 1 to ${MAX_STRING_BYTES} bytes`);
    if (this.byName.has(name)) throw new Error(`there is an export named ${name} already`);
    const { readAhead = {} } = options;
    const ahead = readAhead && new ReadAheadReader(reader, { ...defaultReadAhead, ...readAhead });
    this.byName.set(name, new NbdExport(name, ahead || reader, options.description));
  }

  /**
   * Clients cannot open it any more. Requests under way are answered, or given up after the server's `drainTimeoutMs`,
   * and the connections closed. When it resolves the reader is no longer used. Nothing happens when it is not there.
   */
  async remove(name: string): Promise<void> {
    const removed = this.byName.get(name);
    this.byName.delete(name);
    await removed?.end();
  }

  names(): Iterable<string> {
    return this.byName.keys();
  }

  find(name: string): NbdExport | undefined {
    return this.byName.get(name);
  }
}
