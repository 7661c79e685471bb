import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { delay } from '../delay.js';
import type { MachineVolume } from '../machine-volume.js';
import { requireNbdServer } from './nbd-probe.js';

/** A file served as a volume by QEMU's own server, for tests only. */
export interface ServedVolume extends MachineVolume {
  /** Kills the server. */
  kill(): Promise<void>;
  /** Serves it again at the same place. */
  serveAgain(): Promise<void>;
}

const GREETING_TIMEOUT_MS = 5_000;

const greets = (socketPath: string): Promise<boolean> =>
  requireNbdServer(socketPath, GREETING_TIMEOUT_MS).then(
    () => true,
    () => false,
  );

/** Lets the users of machines connect, once it is there. */
const isOpened = (socketPath: string): Promise<boolean> =>
  chmod(socketPath, 0o666).then(
    () => true,
    () => false,
  );

/** @param dir a folder that machines' users can enter */
export async function serveVolume(dir: string, id: string, file: string): Promise<ServedVolume> {
  const socketPath = join(dir, `${id}.sock`);
  const exportName = `export-${id}`;
  let server: ChildProcess;
  const serve = async (): Promise<void> => {
    await rm(socketPath, { force: true });
    const args = ['--read-only', '--format=raw', '--persistent', '--shared=10', `--socket=${socketPath}`];
    server = spawn('qemu-nbd', [...args, `--export-name=${exportName}`, file], { stdio: 'ignore' });
    await once(server, 'spawn');
    while (!(await isOpened(socketPath))) await delay(5);
    // The socket is there a moment before anybody listens.
    while (!(await greets(socketPath))) await delay(5);
  };
  await serve();
  return {
    id,
    socketPath,
    exportName,
    kill: async () => {
      if (server.exitCode !== null || server.signalCode !== null) return;
      server.kill('SIGKILL');
      await once(server, 'exit');
    },
    serveAgain: serve,
  };
}
