import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { MachineError } from '../machine-error.js';
import { LineSplitter } from './line-splitter.js';
import { macAddress } from './qemu-arguments.js';
import { connectUnixSocket } from './unix-socket.js';

/** The answer is one short line; a guest that says more is not listened to. */
const MAX_LINE_BYTES = 4096;

/**
 * Tells a forked machine who it is (clock, host name, machine id, boot id, hardware address, random seed) and waits
 * until it says that it is.
 * @throws MachineError `guest-unresponsive` after the deadline, `failed` when the guest cannot take all of it on
 */
export async function giveIdentity(options: {
  socketPath: string;
  machineId: string;
  hostname: string;
  timeoutMs: number;
  signal?: AbortSignal;
}): Promise<void> {
  const { signal, timeoutMs } = options;
  signal?.throwIfAborted();
  const socket = await connectUnixSocket(options.socketPath, timeoutMs);
  try {
    const answer = readLine(socket, timeoutMs, signal);
    // The empty line ends what an earlier attempt may have left unfinished.
    socket.write(`\n${identityLine(options.machineId, options.hostname)}\n`);
    const said = await answer;
    if (said !== 'done') {
      throw new MachineError('failed', `the guest could not take its identity: ${said.slice(0, 200)}`);
    }
  } finally {
    socket.destroy();
  }
}

function identityLine(machineId: string, hostname: string): string {
  // Its own for as long as the machine lives, and says nothing of the desktop's id to who sees only this.
  const guestMachineId = createHash('sha256').update(`machine-id ${machineId}`).digest('hex').slice(0, 32);
  const seed = randomBytes(32).toString('hex');
  return ['identity', Date.now() * 1000, hostname, guestMachineId, randomUUID(), macAddress(machineId), seed].join(' ');
}

function readLine(socket: Socket, timeoutMs: number, signal: AbortSignal | undefined): Promise<string> {
  return new Promise<string>((resolve, reject) => {
    const splitter = new LineSplitter(MAX_LINE_BYTES);
    const unresponsive = (why: string) => reject(new MachineError('guest-unresponsive', `no identity taken: ${why}`));
    const timer = setTimeout(() => unresponsive(`no answer within ${timeoutMs} ms`), timeoutMs);
    const onAbort = () => reject(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      try {
        const [line] = splitter.push(chunk);
        if (line !== undefined) resolve(line);
      } catch (error) {
        unresponsive((error as Error).message);
      }
    });
    socket.on('close', () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      unresponsive('the connection was closed');
    });
  });
}
