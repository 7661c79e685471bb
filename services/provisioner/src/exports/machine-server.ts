import type { Logger } from 'pino';
import type { MachineVolume } from '#libs/hypervisor';
import { waitFor } from '#libs/kernel';
import {
  NbdExports,
  type NbdMetrics,
  NbdServer,
  type NbdSocketAccess,
  type VersionId,
  type VolumeError,
} from '#libs/volumes';
import type { ReaderLease, SharedReaders } from './shared-readers.js';
import { WatchedReader } from './watched-reader.js';

/** A version of the store that a machine is to have as a disk. */
export interface ExportedVersion {
  /** Of the disk within the machine: the id of the application's version. */
  readonly id: string;
  /** In the store. */
  readonly versionId: VersionId;
  /** Of an encrypted version. */
  readonly key?: Uint8Array;
}

export interface MachineServerOptions {
  readonly socketPath: string;
  readonly access: NbdSocketAccess;
  readonly readers: SharedReaders;
  readonly metrics: NbdMetrics;
  readonly logger: Logger;
  /** A read that the store could not answer well. */
  readonly onFailure: (volumeId: string, error: VolumeError) => void;
}

interface Served {
  readonly versionId: VersionId;
  readonly lease: ReaderLease;
  readonly reader: WatchedReader;
}

interface Serving {
  readonly done: Promise<Served>;
  /** Nobody wants it any more. */
  readonly stop: AbortController;
}

/** Serves one machine its volumes, on a socket of its own: who can connect to it sees all that is on it. */
export class MachineServer {
  private readonly exports = new NbdExports();
  private readonly served = new Map<string, Serving>();
  private readonly opened = new Map<string, Served>();
  private readonly ended = new AbortController();
  private server: Promise<NbdServer> | undefined;

  constructor(private readonly options: MachineServerOptions) {}

  /** Ids of the volumes that are served. */
  get volumeIds(): readonly string[] {
    return [...this.opened.keys()];
  }

  reader(volumeId: string): WatchedReader | undefined {
    return this.opened.get(volumeId)?.reader;
  }

  /** Which version of the store a volume is. */
  versionOf(volumeId: string): VersionId | undefined {
    return this.opened.get(volumeId)?.versionId;
  }

  /**
   * Serves the version from now on; one that is served already goes on being so. Whoever gives up does not end it for
   * others who wait, and it comes to be served all the same, unless it is closed.
   * @throws what `VolumeStore.openVersion` does, the signal's reason, and when the socket cannot be listened on
   */
  async open({ id, ...version }: ExportedVersion, signal?: AbortSignal): Promise<MachineVolume> {
    const serving = this.served.get(id) ?? this.begin(id, version);
    await waitFor(serving.done, signal);
    return { id, socketPath: this.options.socketPath, exportName: id };
  }

  /** Serves it no more, also when it is still being opened. Whoever still reads it is sent away. */
  async close(volumeId: string): Promise<void> {
    const serving = this.served.get(volumeId);
    if (!serving) return;
    this.served.delete(volumeId);
    this.opened.delete(volumeId);
    serving.stop.abort(new Error('the export has ended'));
    await this.exports.remove(volumeId);
    (await serving.done.catch(() => undefined))?.lease.release();
  }

  /** Nothing is served any more, also what was about to be. */
  async end(): Promise<void> {
    this.ended.abort(new Error('the exports of the machine have ended'));
    await (await this.server?.catch(() => undefined))?.close();
    await Promise.all([...this.served.keys()].map((volumeId) => this.close(volumeId)));
  }

  private begin(id: string, version: Omit<ExportedVersion, 'id'>): Serving {
    const stop = new AbortController();
    const done = this.serve(id, version, AbortSignal.any([stop.signal, this.ended.signal]));
    const serving = { done, stop };
    this.served.set(id, serving);
    done.catch(() => {
      if (this.served.get(id) === serving) this.served.delete(id);
    });
    return serving;
  }

  private async serve(
    id: string,
    { versionId, key }: Omit<ExportedVersion, 'id'>,
    signal: AbortSignal,
  ): Promise<Served> {
    const listening = this.listen();
    // Seen to below, when there is a reader to be given back.
    listening.catch(() => undefined);
    const lease = await this.options.readers.acquire(versionId, { signal, ...(key && { key }) });
    try {
      await listening;
      signal.throwIfAborted();
      const reader = new WatchedReader(lease.reader, (error) => this.options.onFailure(id, error));
      // Guests read ahead themselves, and what they do not use was fetched for nothing.
      this.exports.add(id, reader, { readAhead: false });
      const served = { versionId, lease, reader };
      this.opened.set(id, served);
      return served;
    } catch (error) {
      lease.release();
      throw error;
    }
  }

  private listen(): Promise<NbdServer> {
    if (!this.server) {
      const { exports, ended } = this;
      this.server = startServer({ ...this.options, exports }, ended.signal);
      // The next one tries again.
      this.server.catch(() => {
        this.server = undefined;
      });
    }
    return this.server;
  }
}

async function startServer(
  options: MachineServerOptions & { readonly exports: NbdExports },
  ended: AbortSignal,
): Promise<NbdServer> {
  const { socketPath, access, metrics, logger, exports } = options;
  const server = new NbdServer({ socketPath, access, metrics, logger, exports });
  ended.throwIfAborted();
  await server.start();
  return server;
}
