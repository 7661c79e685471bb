import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from '#libs/embedded';
import { repository } from './repository.js';
import { until } from './until.js';

const READY_TIMEOUT_MS = 60_000;
const KEPT_OUTPUT = 40_000;

/** One service as it is run in production: a process of its own, on a port of its own. */
export class ServiceProcess {
  private process: ChildProcess | undefined;
  private output = '';

  private constructor(
    readonly name: 'broker' | 'gateway' | 'provisioner',
    private readonly environment: Record<string, string>,
    readonly port: number,
  ) {}

  static async on(name: ServiceProcess['name'], environment: Record<string, string>): Promise<ServiceProcess> {
    return new ServiceProcess(name, environment, await freePort());
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Resolves when it is ready. */
  async start(): Promise<void> {
    this.output = '';
    const child = spawn(process.execPath, [`dist/services/${this.name}/src/main.js`], {
      cwd: repository,
      env: { PATH: process.env.PATH, ...this.environment, GOLDLEAF_PORT: String(this.port) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data) => {
        this.output = `${this.output}${data}`.slice(-KEPT_OUTPUT);
      });
    }
    const isReady = async () => {
      if (child.exitCode !== null) throw new Error(`the ${this.name} ended`);
      return (await fetch(`${this.url}/readyz`)).ok;
    };
    await until(`the ${this.name} is ready`, isReady, READY_TIMEOUT_MS).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.output}`, { cause: error });
    });
  }

  /** Whether the process lives. */
  get runs(): boolean {
    return this.process !== undefined && this.process.exitCode === null && this.process.signalCode === null;
  }

  /** The last of what it has printed since its start. */
  get printed(): string {
    return this.output;
  }

  /** At once, as a crash would: nothing gets a chance to clean up. Settles when it is gone. */
  async kill(): Promise<void> {
    const child = this.process;
    if (!child || !this.runs) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Holds it between two of its steps until `thaw`. */
  freeze(): void {
    this.process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.process?.kill('SIGCONT');
  }
}
