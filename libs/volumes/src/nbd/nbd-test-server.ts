import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { NbdExports } from './nbd-exports.js';
import type { NbdRequestFacts } from './nbd-metrics.js';
import type { NbdServerOptions } from './nbd-options.js';
import { NbdServer } from './nbd-server.js';

/** For tests: a server in a folder of its own, and what it counted. */
export class NbdTestServer {
  readonly exports = new NbdExports();
  readonly requests: NbdRequestFacts[] = [];
  server!: NbdServer;
  private options: Partial<NbdServerOptions> = {};

  private constructor(readonly folder: string) {}

  static async start(options: Partial<NbdServerOptions> = {}): Promise<NbdTestServer> {
    const made = new NbdTestServer(await mkdtemp(join(tmpdir(), 'goldleaf-nbd-')));
    made.options = options;
    await made.startAgain();
    return made;
  }

  get socketPath(): string {
    return join(this.folder, 's.sock');
  }

  async startAgain(): Promise<void> {
    const server = new NbdServer({
      exports: this.exports,
      socketPath: this.socketPath,
      logger: pino({ level: 'silent' }),
      metrics: { onRequest: (facts) => void this.requests.push(facts) },
      ...this.options,
    });
    await server.start();
    // Only now: one that could not start must not take the place of the one to be stopped.
    this.server = server;
  }

  uri(name: string): string {
    return `nbd+unix:///${name}?socket=${this.socketPath}`;
  }

  async stop(): Promise<void> {
    await this.server.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

const execFileAsync = promisify(execFile);

/** Runs a program to its end. @returns its standard output. @throws when it fails, with what it said */
export async function tool(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await execFileAsync(program, args, { timeout: 30_000, maxBuffer: 64 << 20 });
  return stdout;
}
