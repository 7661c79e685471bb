import { type FileHandle, open } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';

/** A unix socket's address holds 107 bytes; the state folder may lie deeper than that. */
const LONGEST_ADDRESS_BYTES = 107;

/**
 * Connects to a unix socket, whatever the length of its path.
 * @throws the connection's error, or one with code ETIMEDOUT
 */
export async function connectUnixSocket(path: string, timeoutMs: number): Promise<Socket> {
  let folder: FileHandle | undefined;
  let address = path;
  if (Buffer.byteLength(path) > LONGEST_ADDRESS_BYTES) {
    folder = await open(dirname(path), 'r');
    address = `/proc/self/fd/${folder.fd}/${basename(path)}`;
  }
  try {
    return await new Promise<Socket>((resolve, reject) => {
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
    });
  } finally {
    await folder?.close();
  }
}
