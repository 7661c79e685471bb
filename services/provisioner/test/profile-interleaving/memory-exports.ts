import { waitFor } from '#libs/kernel';
import type { MachineExports } from '../../src/exports/machine-exports.js';
import type { SharedReaders } from '../../src/exports/shared-readers.js';
import { WatchedReader } from '../../src/exports/watched-reader.js';

type Exports = Pick<MachineExports, 'open' | 'close' | 'reader'>;

/** The exports of one process without sockets: versions are opened, held and read as for the real ones. */
export class MemoryExports implements Exports {
  private readonly opening = new Map<string, Promise<WatchedReader>>();
  private readonly opened = new Map<string, { readonly reader: WatchedReader; readonly release: () => void }>();

  constructor(private readonly readers: SharedReaders) {}

  async open(...[machineId, { id, ...version }, signal]: Parameters<Exports['open']>) {
    const name = `${machineId} ${id}`;
    const serving = this.opening.get(name) ?? this.serve(name, version);
    await waitFor(serving, signal);
    // The name tells the host what is served: see `WatchedHost`.
    return { id, socketPath: `/exports/${machineId}`, exportName: version.versionId };
  }

  async close(machineId: string, volumeId: string): Promise<void> {
    const name = `${machineId} ${volumeId}`;
    this.opening.delete(name);
    this.opened.get(name)?.release();
    this.opened.delete(name);
  }

  reader(machineId: string, volumeId: string): WatchedReader | undefined {
    return this.opened.get(`${machineId} ${volumeId}`)?.reader;
  }

  private serve(name: string, { versionId, key }: Omit<Parameters<Exports['open']>[1], 'id'>): Promise<WatchedReader> {
    const serving = this.readers.acquire(versionId, key && { key }).then((lease) => {
      const reader = new WatchedReader(lease.reader, () => undefined);
      if (this.opening.get(name) === serving) this.opened.set(name, { reader, release: lease.release });
      else lease.release();
      return reader;
    });
    this.opening.set(name, serving);
    serving.catch(() => {
      if (this.opening.get(name) === serving) this.opening.delete(name);
    });
    return serving;
  }
}
