import type { Socket } from 'node:net';
import { MachineError } from '../machine-error.js';
import { connectUnixSocket } from './unix-socket.js';

const GREETING = Buffer.from('NBDMAGICIHAVEOPT');

/** Sees whether an NBD server greets on a socket. @throws MachineError `volume-unavailable`; the reason of the signal */
export async function requireNbdServer(path: string, timeoutMs: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  let socket: Socket | undefined;
  try {
    socket = await connectUnixSocket(path, timeoutMs);
    await greeting(socket, timeoutMs, signal);
  } catch (cause) {
    signal?.throwIfAborted();
    const { message } = cause as Error;
    throw new MachineError('volume-unavailable', `nobody serves volumes at ${path}: ${message}`, { cause });
  } finally {
    socket?.destroy();
  }
}

function greeting(socket: Socket, timeoutMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    let heard = Buffer.alloc(0);
    const timer = setTimeout(() => reject(new Error(`no greeting within ${timeoutMs} ms`)), timeoutMs);
    const onAbort = () => reject(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk]);
      if (heard.length < GREETING.length) return;
      if (heard.subarray(0, GREETING.length).equals(GREETING)) resolve();
      else reject(new Error('what listens there does not speak NBD'));
    });
    socket.on('close', () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      reject(new Error('the connection was closed'));
    });
  });
}
