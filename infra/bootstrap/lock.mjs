import { createHash } from 'node:crypto';
import { connect, createServer } from 'node:net';

/**
 * Takes a lock that the kernel gives back however this process ends: an abstract unix socket. Its holder answers
 * everyone who connects with one line about itself.
 * @param {string} name e.g. an absolute path
 * @param {string} about what others are told
 * @returns {Promise<{ held: true, release: () => void } | { held: false, holder: string }>}
 */
export function takeLock(name, about) {
  const path = `\0goldleaf-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end(`${about}\n`);
    });
    server.once('error', (/** @type {NodeJS.ErrnoException} */ error) => {
      if (error.code !== 'EADDRINUSE') return reject(error);
      let holder = '';
      const socket = connect(path);
      socket.setTimeout(1_000, () => socket.destroy());
      socket.on('data', (data) => {
        holder += data;
      });
      socket.on('error', () => undefined);
      socket.on('close', () => resolve({ held: false, holder: holder.trim() }));
    });
    server.listen(path, () => {
      server.unref();
      resolve({ held: true, release: () => server.close() });
    });
  });
}

/**
 * Takes a lock, waiting for whoever holds it.
 * @param {string} name
 * @param {(holder: string) => void} onWait called once, if we have to wait
 * @returns {Promise<() => void>} gives the lock back
 */
export async function waitForLock(name, onWait) {
  for (let told = false; ; ) {
    const lock = await takeLock(name, `process ${process.pid}`);
    if (lock.held) return lock.release;
    if (!told) onWait(lock.holder);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
