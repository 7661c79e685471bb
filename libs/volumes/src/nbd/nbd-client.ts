import type { BlockExtent } from '../block-extents.js';
import { changedExtents } from './changed-extents.js';
import { clientHandshake, type OpenedExport } from './client-handshake.js';
import { encodeRequest } from './client-messages.js';
import { ReadReply, StatusReply } from './client-replies.js';
import { ClientRequests, closed } from './client-requests.js';
import { ClientSocket } from './client-socket.js';
import { NbdClientError } from './nbd-client-error.js';
import { dirtyBitmapContext, type NbdClientOptions, type NbdStatusExtent } from './nbd-client-options.js';
import { ALLOCATION_CONTEXT, command } from './protocol.js';

const DEFAULT_DEADLINE_MS = 30_000;
const MAX_STATUS_BYTES = 1 << 30;

/**
 * Reads an export of an NBD server on this host (QEMU's, or ours), any number of requests at once on one connection.
 * Nothing that the server says is trusted: a wrong answer ends the connection, and with it all that is asked.
 */
export class NbdClient {
  private constructor(
    private readonly opened: OpenedExport,
    private readonly socket: ClientSocket,
    private readonly requests: ClientRequests,
  ) {}

  /** @throws NbdClientError 'refused' | 'protocol' | 'timeout' | 'closed', and the signal's reason */
  static async connect(socketPath: string, exportName: string, options: NbdClientOptions = {}): Promise<NbdClient> {
    const { metaContexts = [], signal, deadlineMs = DEFAULT_DEADLINE_MS } = options;
    const stop = new AbortController();
    const onAbort = () => stop.abort(signal?.reason);
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    const timer = setTimeout(() => {
      stop.abort(new NbdClientError('timeout', `the NBD server did not open the export within ${deadlineMs} ms`));
    }, deadlineMs);
    try {
      const socket = await ClientSocket.connect(socketPath, stop.signal);
      const onStop = () => socket.destroy(stop.signal.reason);
      if (stop.signal.aborted) onStop();
      stop.signal.addEventListener('abort', onStop, { once: true });
      try {
        const opened = await clientHandshake(socket, exportName, metaContexts);
        return new NbdClient(opened, socket, new ClientRequests(socket, deadlineMs));
      } catch (error) {
        socket.destroy(error);
        throw error;
      }
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  get sizeBytes(): number {
    return this.opened.sizeBytes;
  }

  /** @throws NbdClientError 'invalid' | 'failed' | 'protocol' | 'timeout' | 'closed', and the signal's reason */
  async read(offset: number, length: number, signal?: AbortSignal): Promise<Buffer> {
    this.check(offset, length);
    const { maxReadBytes } = this.opened;
    const parts: Promise<Buffer>[] = [];
    for (let at = offset; at < offset + length; at += maxReadBytes) {
      const range = { offset: at, length: Math.min(maxReadBytes, offset + length - at) };
      parts.push(this.requests.send(command.read, range, new ReadReply(range.offset, range.length), signal));
    }
    const [only] = parts;
    return only && parts.length === 1 ? only : Buffer.concat(await Promise.all(parts));
  }

  /** What a context that was asked for at connecting says of a range, neighbours with the same flags as one. @throws as `read` */
  async blockStatus(
    context: string,
    offset: number,
    length: number,
    signal?: AbortSignal,
  ): Promise<readonly NbdStatusExtent[]> {
    this.check(offset, length);
    const contextId = this.opened.contextIds.get(context);
    if (contextId === undefined) throw new NbdClientError('invalid', `${context} was not asked for at connecting`);
    const found: { offset: number; length: number; flags: number }[] = [];
    const end = offset + length;
    for (let at = offset; at < end; ) {
      const range = { offset: at, length: Math.min(MAX_STATUS_BYTES, end - at) };
      const reply = new StatusReply(contextId, range.length);
      for (const run of await this.requests.send(command.blockStatus, range, reply, signal)) {
        const extent = { offset: at, length: Math.min(run.length, end - at), flags: run.flags };
        const last = found.at(-1);
        if (last?.flags === extent.flags) last.length += extent.length;
        else if (extent.length > 0) found.push(extent);
        at += extent.length;
      }
    }
    return found;
  }

  /**
   * What a dirty bitmap of QEMU's says has changed, in order. `isHole` is said of zeros when `base:allocation` was asked
   * for at connecting too, else never. @throws as `read`
   */
  async changedExtents(bitmapName: string, signal?: AbortSignal): Promise<readonly BlockExtent[]> {
    const dirty = await this.blockStatus(dirtyBitmapContext(bitmapName), 0, this.sizeBytes, signal);
    const hasAllocation = this.opened.contextIds.has(ALLOCATION_CONTEXT);
    return changedExtents(dirty, async (offset, length) =>
      hasAllocation ? this.blockStatus(ALLOCATION_CONTEXT, offset, length, signal) : [{ offset, length, flags: 0 }],
    );
  }

  /** Says good-bye; whatever is still asked is rejected. Also when the connection is gone. */
  async close(): Promise<void> {
    const finished = this.socket.finish(encodeRequest(command.disconnect, 0, 0, 0), closed());
    this.requests.end(closed());
    await finished;
  }

  private check(offset: number, length: number): void {
    const isRange = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
    if (isRange && offset + length <= this.sizeBytes) return;
    throw new NbdClientError(
      'invalid',
      `${length} bytes at ${offset} are not inside an export of ${this.sizeBytes} bytes`,
    );
  }
}
