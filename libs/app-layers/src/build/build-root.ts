import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, chmod, mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { runTool } from '#libs/images';
import { AppLayerError } from '../app-layer-error.js';

/**
 * Runs as the first process of its own mount and process namespaces: when it ends, for whatever reason, all that was
 * started in them ends, and nothing stays mounted. Says its own number as the host counts.
 */
const HOLD_NAMESPACES = `
set -e
cd "$1"
mount -o ro,loop,noload "$2" base
mount -t overlay overlay -o redirect_dir=off,metacopy=off,lowerdir=base,upperdir=upper,workdir=work merged
if [ -d merged/proc ]; then mount -t proc proc merged/proc; fi
for folder in run tmp dev; do
  if [ -d merged/$folder ]; then mount -t tmpfs -o mode=0755 tmpfs merged/$folder; fi
done
if [ -d merged/dev ]; then
  for device in null zero full random urandom tty; do : > merged/dev/$device; mount --bind /dev/$device merged/dev/$device; done
fi
chmod 1777 merged/tmp 2>/dev/null || true
read -r pid rest < /proc/self/stat
echo "held $pid"
cat > /dev/null
`;

export interface RunOptions {
  /** Without the network of the host. */
  readonly offline?: boolean;
  /** In the root that is built on, not beside it. */
  readonly chroot?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly onLine?: (line: string) => void;
}

/** The golden image's root, writable for a build: what is written lands in a folder, the image is never touched. */
export class BuildRoot {
  private constructor(
    private readonly holder: ChildProcess,
    private readonly pid: number,
    private readonly dir: string,
    private readonly logPath: string,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** @param dir an empty folder of the build @throws AppLayerError 'build-failed' */
  static async open(options: {
    rootDiskPath: string;
    dir: string;
    logPath: string;
    signal?: AbortSignal;
  }): Promise<BuildRoot> {
    const { rootDiskPath, logPath, signal } = options;
    // A link would lead out of the namespace that it is read through.
    const dir = await realpath(options.dir);
    for (const name of ['base', 'upper', 'work', 'merged']) {
      await mkdir(join(dir, name));
      // Whatever the umask is: that of `upper` is the root's as programs of the build see it.
      await chmod(join(dir, name), 0o755);
    }
    signal?.throwIfAborted();
    // A parent that is killed takes the first process with it, and that everything else.
    const holder = spawn(
      'setpriv',
      [
        ...['--pdeathsig', 'KILL', 'unshare', '--mount', '--pid', '--fork', '--kill-child=KILL'],
        ...['sh', '-c', HOLD_NAMESPACES, 'sh', dir, rootDiskPath],
      ],
      { stdio: ['pipe', 'pipe', 'pipe'], env: { PATH: HOST_PATH, LC_ALL: 'C.UTF-8' } },
    );
    let trouble = '';
    holder.stderr.on('data', (text: Buffer) => {
      trouble += text.toString();
    });
    // It may have ended when it is told to.
    holder.stdin.on('error', () => undefined);
    const pid = await new Promise<number>((resolve, reject) => {
      createInterface({ input: holder.stdout }).on('line', (line) => {
        if (line.startsWith('held ')) resolve(Number(line.slice(5)));
      });
      holder.once('error', reject);
      holder.once('close', () =>
        reject(
          new AppLayerError(
            'build-failed',
            `the golden image's root disk cannot be mounted for the build (loop devices and overlay are needed): ${trouble.trim()}`,
          ),
        ),
      );
    });
    await appendFile(logPath, trouble);
    return new BuildRoot(holder, pid, dir, logPath, signal);
  }

  /** The image's root as it is. */
  get base(): string {
    return this.inside('base');
  }

  /** The image's root with what the build wrote. */
  get merged(): string {
    return this.inside('merged');
  }

  /** What the build wrote, nothing else. */
  get written(): string {
    return join(this.dir, 'upper');
  }

  /** The same as `merged`, for what runs beside it (not in it). */
  get mergedForTools(): string {
    return join(this.dir, 'merged');
  }

  /** Runs a program in the namespaces of the build, with nothing of this process's environment. */
  async run(command: string, args: readonly string[], options: RunOptions = {}) {
    const env = { PATH: HOST_PATH, HOME: '/root', LC_ALL: 'C.UTF-8', ...options.env };
    return runTool({
      command: 'nsenter',
      args: [
        ...['--target', String(this.pid), '--mount', '--pid', '--'],
        ...(options.offline ? ['unshare', '--net'] : []),
        ...['env', '-i', ...Object.entries(env).map(([name, value]) => `${name}=${value}`)],
        ...(options.chroot ? ['chroot', this.mergedForTools] : []),
        command,
        ...args,
      ],
      logPath: this.logPath,
      onLine: options.onLine,
      signal: this.signal,
    });
  }

  async close(): Promise<void> {
    if (this.holder.exitCode !== null || this.holder.signalCode !== null) return;
    const closed = once(this.holder, 'close');
    this.holder.stdin?.end();
    await closed;
  }

  private inside(name: string): string {
    return `/proc/${this.pid}/root${join(this.dir, name)}`;
  }
}

const HOST_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
