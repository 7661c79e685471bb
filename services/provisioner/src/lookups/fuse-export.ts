import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { waitFor } from '#libs/kernel';
import { LookupFailed } from './lookup-failure.js';
import { unmount } from './unmount.js';

const STOP_PATIENCE_MS = 5_000;
/** Where the daemon finds the overlay that it inherits. */
const OVERLAY_PATH = '/proc/self/fd/3';
/** A journal has a few MiB. What replaying it would write beyond that is a trap, and is not to fill the memory. */
const OVERLAY_MAX_BYTES = 256 << 20;

const environment = () => ({ PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' });

export interface FuseExportOptions {
  /** Of the NBD server. */
  readonly socketPath: string;
  readonly exportName: string;
  readonly sizeBytes: number;
  /** Descriptor of an empty file, which takes what is written. */
  readonly overlay: number;
  /** An empty file, in whose place the volume is to be seen by this user alone. */
  readonly mountPoint: string;
  readonly signal: AbortSignal;
}

/**
 * An NBD export as a file of this host, by `qemu-storage-daemon` and FUSE: nothing of it is copied, and what is written
 * to it is forgotten. It goes with this process, also when that is killed.
 */
export class FuseExport {
  private constructor(
    private readonly daemon: ChildProcess,
    private readonly mountPoint: string,
  ) {}

  /** @throws LookupFailed `unsupported`, `failed`; the signal's reason. Nothing is left then. */
  static async start(options: FuseExportOptions): Promise<FuseExport> {
    const { sizeBytes, overlay, mountPoint, signal } = options;
    await makeOverlay(overlay, sizeBytes, signal);
    const daemon = spawn('prlimit', daemonArgs(options), {
      stdio: ['ignore', 'pipe', 'pipe', overlay],
      env: environment(),
    });
    const made = new FuseExport(daemon, mountPoint);
    try {
      await waitFor(untilReady(daemon), signal);
      return made;
    } catch (error) {
      await made.close();
      throw error;
    }
  }

  /** Whoever still reads is sent away. */
  async close(): Promise<void> {
    const { daemon, mountPoint } = this;
    if (daemon.pid !== undefined && isRunning(daemon)) {
      const exit = once(daemon, 'exit');
      daemon.kill('SIGTERM');
      await waitFor(exit, AbortSignal.timeout(STOP_PATIENCE_MS)).catch(async () => {
        daemon.kill('SIGKILL');
        await exit;
      });
    }
    if (daemon.exitCode === 0) return;
    // One that was killed has not unmounted.
    await unmount(mountPoint);
  }
}

const isRunning = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode === null && signalCode === null;

async function makeOverlay(overlay: number, sizeBytes: number, signal: AbortSignal): Promise<void> {
  const args = ['create', '-q', '-f', 'qcow2', OVERLAY_PATH, String(sizeBytes)];
  const child = spawn('qemu-img', args, { stdio: ['ignore', 'ignore', 'pipe', overlay], env: environment() });
  let said = '';
  child.stderr?.on('data', (text: Buffer) => {
    said += text.toString();
  });
  const [exitCode] = await once(child, 'close', { signal });
  if (exitCode !== 0) throw new LookupFailed('failed', `no overlay could be made: ${said.trim().slice(0, 300)}`);
}

function daemonArgs({ socketPath, exportName, mountPoint }: FuseExportOptions): string[] {
  const server = { type: 'unix', path: socketPath };
  const base = { driver: 'nbd', 'node-name': 'base', server, export: exportName, 'read-only': true };
  const overlay = { driver: 'file', filename: OVERLAY_PATH };
  const top = { driver: 'qcow2', 'node-name': 'top', file: overlay, backing: 'base' };
  const seen = { type: 'fuse', id: 'version', 'node-name': 'top', mountpoint: mountPoint, writable: true };
  return [
    ...[`--fsize=${OVERLAY_MAX_BYTES}`, 'setpriv', '--pdeathsig', 'TERM', 'qemu-storage-daemon'],
    ...['--blockdev', JSON.stringify(base), '--blockdev', JSON.stringify(top)],
    ...['--export', JSON.stringify({ ...seen, 'allow-other': 'off' })],
    // Options are obeyed one after the other: what greets us has all of the above behind it.
    ...['--chardev', 'stdio,id=monitor,signal=off', '--monitor', 'chardev=monitor'],
  ];
}

/** @throws LookupFailed when it ends instead */
async function untilReady(daemon: ChildProcess): Promise<void> {
  let said = '';
  daemon.stderr?.on('data', (text: Buffer) => {
    said = `${said}${text}`.slice(0, 1_000);
  });
  await new Promise<void>((resolve, reject) => {
    daemon.stdout?.once('data', () => resolve());
    daemon.once('error', (cause) => reject(new LookupFailed('unsupported', cause.message, { cause })));
    daemon.once('close', (code, signal) => {
      const end = signal ?? `status ${code}`;
      reject(new LookupFailed('failed', `qemu-storage-daemon ended with ${end}: ${said.trim()}`));
    });
  });
}
