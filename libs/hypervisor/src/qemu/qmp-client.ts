import type { Socket } from 'node:net';
import { z } from 'zod';
import { LineSplitter } from './line-splitter.js';
import { connectUnixSocket } from './unix-socket.js';

const message = z.union([
  z.object({ QMP: z.unknown() }),
  z.object({ return: z.unknown(), id: z.number().optional() }),
  z.object({ error: z.object({ class: z.string(), desc: z.string() }), id: z.number().optional() }),
  z.object({ event: z.string(), data: z.unknown().optional() }),
]);

/** QEMU refused a command, or did not answer in time. */
export class QmpError extends Error {
  override readonly name = 'QmpError';
}

const MAX_LINE_BYTES = 4 << 20;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** QEMU's control protocol on its unix socket: one JSON object a line. */
export class QmpClient {
  private readonly waiting = new Map<number, Waiting>();
  private readonly splitter = new LineSplitter(MAX_LINE_BYTES);
  private nextId = 1;
  private closed = false;
  private readonly closeListeners = new Set<() => void>();
  private readonly eventListeners = new Set<(event: string, data: unknown) => void>();

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => this.read(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => this.end());
  }

  /** Connects and negotiates. @throws QmpError or the connection's error */
  static async connect(socketPath: string, timeoutMs: number): Promise<QmpClient> {
    const client = new QmpClient(await connectUnixSocket(socketPath, timeoutMs));
    try {
      await client.execute('qmp_capabilities', {}, timeoutMs);
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  get isClosed(): boolean {
    return this.closed;
  }

  /** @throws QmpError when refused, unanswered, or the connection ends */
  execute(command: string, args: Record<string, unknown> = {}, timeoutMs = 10_000): Promise<unknown> {
    if (this.closed) return Promise.reject(new QmpError(`${command}: the machine's monitor is closed`));
    const id = this.nextId++;
    return new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        reject(new QmpError(`${command}: no answer within ${timeoutMs} ms`));
      }, timeoutMs);
      this.waiting.set(id, {
        resolve: (value) => {
          clearTimeout(timer);
          resolve(value);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(new QmpError(`${command}: ${error.message}`));
        },
      });
      this.socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    });
  }

  /**
   * The data of the next event of this name that matches.
   * @throws QmpError at the deadline, or when the connection ends
   */
  waitForEvent(name: string, matches: (data: unknown) => boolean, timeoutMs: number): Promise<unknown> {
    if (this.closed) return Promise.reject(new QmpError(`${name}: the machine's monitor is closed`));
    return new Promise<unknown>((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        this.eventListeners.delete(listener);
        this.closeListeners.delete(onClose);
        settle();
      };
      const listener = (event: string, data: unknown) => {
        if (event === name && matches(data)) end(() => resolve(data));
      };
      const fail = (why: string) => end(() => reject(new QmpError(`${name}: ${why}`)));
      const onClose = () => fail('the connection was closed');
      const timer = setTimeout(() => fail(`not within ${timeoutMs} ms`), timeoutMs);
      this.eventListeners.add(listener);
      this.onClose(onClose);
    });
  }

  /** For as long as the connection lasts. */
  onEvent(name: string, listener: () => void): void {
    this.eventListeners.add((event) => {
      if (event === name) listener();
    });
  }

  onClose(listener: () => void): void {
    this.closeListeners.add(listener);
  }

  close(): void {
    this.socket.destroy();
    this.end();
  }

  private read(chunk: Buffer): void {
    try {
      for (const line of this.splitter.push(chunk)) this.take(line);
    } catch {
      // Whoever speaks like that is not QEMU's monitor any more.
      this.close();
    }
  }

  private take(line: string): void {
    if (line.trim() === '') return;
    const parsed = message.parse(JSON.parse(line));
    if ('event' in parsed) for (const listener of this.eventListeners) listener(parsed.event, parsed.data);
    if (!('id' in parsed) || parsed.id === undefined) return;
    const waiting = this.waiting.get(parsed.id);
    this.waiting.delete(parsed.id);
    if ('error' in parsed) waiting?.reject(new Error(parsed.error.desc));
    else waiting?.resolve(parsed.return);
  }

  private end(): void {
    if (this.closed) return;
    this.closed = true;
    for (const waiting of this.waiting.values()) waiting.reject(new Error('the connection was closed'));
    this.waiting.clear();
    for (const listener of this.closeListeners) listener();
  }
}
