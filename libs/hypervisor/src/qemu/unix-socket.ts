import { open } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';

/** A unix socket's address holds 107 bytes; the state folder may lie deeper than that. */
const LONGEST_ADDRESS_BYTES = 107;

/**
 * Runs the operation with a path to the same socket that is short enough for an address; it is good for no longer.
 * @throws the error of the folder that it lies in; what the operation throws
 */
export async function withShortAddress<T>(path: string, operation: (address: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(path) <= LONGEST_ADDRESS_BYTES) return operation(path);
  const folder = await open(dirname(path), 'r');
  try {
    return await operation(`/proc/self/fd/${folder.fd}/${basename(path)}`);
  } finally {
    await folder.close();
  }
}

/**
 * Connects to a unix socket, whatever the length of its path.
 * @throws the connection's error, or one with code ETIMEDOUT
 */
export function connectUnixSocket(path: string, timeoutMs: number): Promise<Socket> {
  return withShortAddress(
    path,
    (address) =>
      new Promise<Socket>((resolve, reject) => {
        const socket = createConnection(address);
        const timer = setTimeout(() => {
          socket.destroy();
          reject(Object.assign(new Error('connecting took too long'), { code: 'ETIMEDOUT' }));
        }, timeoutMs);
        socket.once('connect', () => {
          clearTimeout(timer);
          socket.removeAllListeners('error');
          resolve(socket);
        });
        socket.once('error', (error) => {
          clearTimeout(timer);
          reject(error);
        });
      }),
  );
}
