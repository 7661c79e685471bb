import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import type { GuestMessage } from '../machine-volume.js';
import { GuestMessageReader } from './guest-message-reader.js';
import { connectUnixSocket } from './unix-socket.js';

const CONNECT_TIMEOUT_MS = 5_000;
const RECONNECT_DELAY_MS = 1_000;

interface Port {
  readonly socketPath: string;
  isWatched: boolean;
  socket?: Socket;
  timer?: NodeJS.Timeout;
}

/** Keeps a connection to the message port of each machine while somebody listens, and makes lost ones anew. */
export class GuestMessagePorts {
  private readonly ports = new Map<string, Port>();
  private readonly listeners = new Set<(message: GuestMessage) => void>();

  constructor(private readonly logger: Logger) {}

  /** A machine is there. Its port is one that it was made with: older machines have none, which is no error. */
  watch(machineId: string, socketPath: string): void {
    this.forget(machineId);
    const port: Port = { socketPath, isWatched: true };
    this.ports.set(machineId, port);
    if (this.listeners.size > 0) void this.connect(machineId, port);
  }

  /** The machine has ended, or is not ours to watch any more. */
  forget(machineId: string): void {
    const port = this.ports.get(machineId);
    if (!port) return;
    this.ports.delete(machineId);
    port.isWatched = false;
    clearTimeout(port.timer);
    port.socket?.destroy();
  }

  forgetAll(): void {
    for (const machineId of [...this.ports.keys()]) this.forget(machineId);
  }

  subscribe(listener: (message: GuestMessage) => void): () => void {
    this.listeners.add(listener);
    if (this.listeners.size === 1) {
      for (const [machineId, port] of this.ports) if (!port.socket) void this.connect(machineId, port);
    }
    return () => void this.listeners.delete(listener);
  }

  private async connect(machineId: string, port: Port): Promise<void> {
    clearTimeout(port.timer);
    let socket: Socket;
    try {
      socket = await connectUnixSocket(port.socketPath, CONNECT_TIMEOUT_MS);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      return this.connectLater(machineId, port);
    }
    if (!port.isWatched || port.socket) {
      socket.destroy();
      return;
    }
    port.socket = socket;
    socket.unref();
    const reader = new GuestMessageReader((text) => this.tell({ machineId, text }));
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      const pauseMs = reader.push(chunk);
      if (pauseMs <= 0) return;
      socket.pause();
      setTimeout(() => socket.resume(), pauseMs).unref();
    });
    socket.on('close', () => {
      port.socket = undefined;
      this.connectLater(machineId, port);
    });
  }

  private connectLater(machineId: string, port: Port): void {
    if (!port.isWatched) return;
    clearTimeout(port.timer);
    port.timer = setTimeout(() => void this.connect(machineId, port), RECONNECT_DELAY_MS);
    port.timer.unref();
  }

  private tell(message: GuestMessage): void {
    for (const listener of this.listeners) {
      try {
        listener(message);
      } catch (error) {
        this.logger.error({ err: error, machineId: message.machineId }, 'a listener for guest messages failed');
      }
    }
  }
}
