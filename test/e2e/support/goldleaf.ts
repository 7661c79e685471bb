import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { poolViewSchema } from '#libs/contracts';
import { freePort } from '#libs/embedded';
import { ApiPerson } from './api-person.js';
import { makeStateDir } from './make-state-dir.js';
import { repository } from './repository.js';
import { until } from './until.js';
import { usedStateDir } from './used-state-dir.js';

const START_TIMEOUT_MS = 240_000;

/** The whole system as `npm start` runs it, in a state folder of its own; golden images and built layers are shared with other runs. */
export class Goldleaf {
  private process: ChildProcess | undefined;
  private output = '';

  private constructor(
    readonly stateDir: string,
    readonly port: number,
    private readonly demoApps: 'on' | 'off',
  ) {}

  /** In a state folder in which nothing has run yet. */
  static async prepare(): Promise<Goldleaf> {
    return new Goldleaf(await makeStateDir(), await freePort(), 'off');
  }

  /**
   * In a state folder in which it has run before, without applications and without anybody signing in but IT.
   * @param apps whether the demo applications are built and assigned; layers that were built before are taken
   */
  static async prepareUsed({ apps = false } = {}): Promise<Goldleaf> {
    const stateDir = await usedStateDir(async (folder) => {
      const first = new Goldleaf(folder, await freePort(), 'off');
      try {
        await first.start();
        await first.hasDesktops();
      } finally {
        await first.stop();
      }
    });
    return new Goldleaf(stateDir, await freePort(), apps ? 'on' : 'off');
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Resolves when the address answers and every part is ready. */
  async start(): Promise<void> {
    this.output = '';
    const child = spawn(process.execPath, ['dist/services/standalone/src/main.js'], {
      cwd: repository,
      env: {
        ...process.env,
        GOLDLEAF_STATE_DIR: this.stateDir,
        GOLDLEAF_PORT: String(this.port),
        GOLDLEAF_DEMO_APPS: this.demoApps,
        NODE_OPTIONS: '',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process = child;
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => (this.output += String(data)));
    const isReady = async () => {
      if (child.exitCode !== null) return 'exited' as const;
      return (await this.isReady()) ? ('ready' as const) : undefined;
    };
    const outcome = await until('goldleaf is ready', isReady, START_TIMEOUT_MS).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.output}`);
    });
    if (outcome === 'exited') throw new Error(`goldleaf ended at once:\n${this.output}`);
  }

  /** Waits until somebody who signs in now finds a desktop. */
  private async hasDesktops(): Promise<void> {
    const ivan = new ApiPerson(this.url, 'ivan');
    await ivan.signIn();
    const isWarm = async () => poolViewSchema.parse(await ivan.call('GET', '/pools/call-center')).counts.available > 0;
    await until('a desktop', isWarm, START_TIMEOUT_MS);
  }

  /** Ctrl-C. */
  async stop(): Promise<void> {
    await this.end('SIGINT');
  }

  /** As a crash would end it: nothing gets a chance to clean up. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** What it has printed since its last start. */
  printed(): string {
    return this.output;
  }

  /** Ids of the machines whose folders, leaf included, are on disk. */
  async machineFolders(): Promise<string[]> {
    return readdir(join(this.stateDir, 'machines')).catch(() => []);
  }

  /** Kills one of the servers that it started for itself. */
  async killServer(name: 'guacd' | 'postgres' | 'redis'): Promise<void> {
    const record = await readFile(join(this.stateDir, 'servers', name, 'process.json'), 'utf8');
    process.kill(z.object({ pid: z.int() }).parse(JSON.parse(record)).pid, 'SIGKILL');
  }

  async isReady(): Promise<boolean> {
    return (await fetch(`${this.url}/readyz`).catch(() => undefined))?.ok ?? false;
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.stateDir, { recursive: true, force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
}
