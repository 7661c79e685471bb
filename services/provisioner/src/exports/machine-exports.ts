import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import type { MachineUser, MachineVolume } from '#libs/hypervisor';
import { waitFor } from '#libs/kernel';
import { LOGGER } from '#libs/telemetry';
import type { VolumeError } from '#libs/volumes';
import { VolumeMetrics } from '../metrics/volume-metrics.js';
import { type ExportedVersion, MachineServer } from './machine-server.js';
import { SharedReaders } from './shared-readers.js';
import { openSocketFolder } from './socket-folder.js';
import type { WatchedReader } from './watched-reader.js';

/** Injection token of `ExportOptions`. */
export const EXPORT_OPTIONS = Symbol('goldleaf.provisioner.export-options');

export interface ExportOptions {
  /** Folder in which this host keeps its state, absolute. */
  readonly stateDir: string;
  /** Whom machines run as; undefined when it is as this process. */
  readonly machineUser: MachineUser | undefined;
}

/** A read of a machine's volume that the store could not answer well. */
export interface ReadFailure {
  readonly machineId: string;
  readonly volumeId: string;
  readonly error: VolumeError;
}

/** How long a version stays open after the last machine that used it: people come one after another. */
const UNUSED_MS = 10 * 60_000;
const STOP_PATIENCE_MS = 2_000;

/**
 * The volumes that machines of this host are served, each machine's on a socket of its own. A machine has the same socket
 * in each process: it connects again by itself to what the next one serves there.
 */
@Injectable()
export class MachineExports {
  private readonly servers = new Map<string, MachineServer>();
  private readonly listeners = new Set<(failure: ReadFailure) => void>();
  private folder: string | undefined;

  constructor(
    private readonly readers: SharedReaders,
    private readonly metrics: VolumeMetrics,
    @Inject(EXPORT_OPTIONS) private readonly options: ExportOptions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Call before anything is opened. */
  async start(): Promise<void> {
    this.folder = await openSocketFolder(this.options.stateDir, this.options.machineUser);
    this.metrics.attached(() => this.count);
  }

  /** Machines that have an export, or had one and are not released. */
  get machineIds(): readonly string[] {
    return [...this.servers.keys()];
  }

  /** Ids of the volumes that a machine is served. */
  volumeIds(machineId: string): readonly string[] {
    return this.servers.get(machineId)?.volumeIds ?? [];
  }

  reader(machineId: string, volumeId: string): WatchedReader | undefined {
    return this.servers.get(machineId)?.reader(volumeId);
  }

  /** Whether the store answers and has the version of a volume that is served. */
  async isInStore(machineId: string, volumeId: string): Promise<boolean> {
    const versionId = this.servers.get(machineId)?.versionOf(volumeId);
    return versionId !== undefined && (await this.readers.isInStore(versionId));
  }

  /** Serves a version to a machine; one that is served already goes on being so. @throws as `MachineServer.open` */
  async open(machineId: string, version: ExportedVersion, signal?: AbortSignal): Promise<MachineVolume> {
    return this.server(machineId).open(version, signal);
  }

  async close(machineId: string, volumeId: string): Promise<void> {
    await this.servers.get(machineId)?.close(volumeId);
  }

  /** The machine is gone. Also what is being opened for it ends. */
  async release(machineId: string): Promise<void> {
    const server = this.servers.get(machineId);
    this.servers.delete(machineId);
    await server?.end();
  }

  closeUnused(): Promise<void> {
    return this.readers.closeUnused(UNUSED_MS);
  }

  /** Machines that still run wait for the exports of the next process. Nothing can be opened any more. */
  async stop(): Promise<void> {
    this.folder = undefined;
    await Promise.all([...this.servers.keys()].map((machineId) => this.release(machineId)));
    // What is left of a reader in a store that does not answer runs out by itself.
    await waitFor(this.readers.closeUnused(0), AbortSignal.timeout(STOP_PATIENCE_MS)).catch(() => undefined);
  }

  /** @returns a function that ends the subscription */
  onFailure(listener: (failure: ReadFailure) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  private get count(): number {
    let count = 0;
    for (const { volumeIds } of this.servers.values()) count += volumeIds.length;
    return count;
  }

  private server(machineId: string): MachineServer {
    const existing = this.servers.get(machineId);
    if (existing) return existing;
    if (this.folder === undefined) throw new Error('exports can be opened from start to stop only');
    const { readers, metrics, logger } = this;
    const { machineUser } = this.options;
    const server = new MachineServer({
      socketPath: join(this.folder, machineId),
      access: machineUser ?? {},
      readers,
      metrics: metrics.nbd,
      logger: logger.child({ machineId }),
      onFailure: (volumeId, error) => this.tell({ machineId, volumeId, error }),
    });
    this.servers.set(machineId, server);
    return server;
  }

  private tell(failure: ReadFailure): void {
    for (const listener of this.listeners) listener(failure);
  }
}
