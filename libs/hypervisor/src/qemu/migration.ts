import { chown, type FileHandle, open } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { z } from 'zod';
import { delay } from '../delay.js';
import { MachineError } from '../machine-error.js';
import type { MachineFolder } from './machine-record.js';
import type { MachineUser } from './machine-user.js';
import type { QmpClient } from './qmp-client.js';

const status = z.object({ status: z.string().optional(), 'error-desc': z.string().optional() });
const POLL_MS = 3;

/** Memory stays where it is, in a file that parent and child share: only the devices' state is moved. */
function keepMemoryInPlace(qmp: QmpClient): Promise<unknown> {
  return qmp.execute('migrate-set-capabilities', { capabilities: [{ capability: 'x-ignore-shared', state: true }] });
}

/**
 * Writes the state of a stopped machine's devices to a file. QEMU may start no program and be handed no file at this
 * point, so that it comes over a socket in the machine's folder.
 * @throws MachineError `failed`
 */
export async function saveState(
  qmp: QmpClient,
  target: { folder: MachineFolder; user: MachineUser | undefined; file: FileHandle },
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const { folder, user, file } = target;
  const runDir = await open(folder.runDir, 'r');
  const server = createServer();
  try {
    const received = new Promise<void>((resolve, reject) => {
      server.once('connection', (socket) => {
        writeAll(socket, file).then(resolve, reject);
      });
    });
    received.catch(() => undefined);
    // Short however deep the folder lies; see connectUnixSocket.
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(`/proc/self/fd/${runDir.fd}/state.sock`, resolve);
    });
    if (user) await chown(folder.run('state.sock'), user.uid, user.gid);
    await keepMemoryInPlace(qmp);
    await qmp.execute('migrate', { uri: 'unix:state.sock' });
    await completed(qmp, timeoutMs, signal);
    await received;
  } finally {
    server.close();
    await runDir.close();
  }
}

/** Takes the state of a parent's devices from the file that QEMU inherited (see startQemu); the machine is then stopped where its parent was. */
export async function loadState(qmp: QmpClient, timeoutMs: number, signal?: AbortSignal): Promise<void> {
  await keepMemoryInPlace(qmp);
  await qmp.execute('migrate-incoming', { uri: 'fd:3' }, timeoutMs);
  await completed(qmp, timeoutMs, signal);
}

async function writeAll(socket: Socket, file: FileHandle): Promise<void> {
  for await (const chunk of socket) await file.writeFile(chunk as Buffer);
}

async function completed(qmp: QmpClient, timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; ; await delay(POLL_MS, signal)) {
    const found = status.parse(await qmp.execute('query-migrate', {}, timeoutMs));
    if (found.status === 'completed') return;
    if (found.status === 'failed' || found.status === 'cancelled') {
      throw new MachineError(
        'failed',
        `the state could not be moved: ${found['error-desc'] ?? 'QEMU does not say why'}`,
      );
    }
    if (Date.now() > deadline) throw new MachineError('failed', `the state was not moved within ${timeoutMs} ms`);
  }
}
