import { type ChildProcess, fork } from 'node:child_process';

/** What a child of this bench tells its parent. */
export interface ChildReport {
  readonly port: number;
  /** Where to connect, for subjects that speak HTTP. */
  readonly path?: string;
}

export interface Usage {
  readonly cpuSeconds: number;
  readonly maxRssMiB: number;
}

/** A part of the bench in a process of its own, so that its processor time can be told apart. */
export class Child {
  private constructor(
    private readonly process: ChildProcess,
    readonly report: ChildReport,
  ) {}

  static start(module: 'flood-source' | 'subject', args: readonly (string | number)[]): Promise<Child> {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const child = fork(new URL(`./${module}.${extension}`, import.meta.url), args.map(String), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    return new Promise((resolve, reject) => {
      child.once('message', (report) => resolve(new Child(child, report as ChildReport)));
      child.once('exit', (code) => reject(new Error(`${module} ended with ${code}`)));
    });
  }

  usage(): Promise<Usage> {
    return new Promise((resolve) => {
      this.process.once('message', (usage) => resolve(usage as Usage));
      this.process.send('usage');
    });
  }

  stop(): void {
    this.process.removeAllListeners('exit');
    this.process.kill('SIGKILL');
  }
}

/** In the child: says where it listens and answers questions about its use of the machine. */
export function reportToParent(report: ChildReport): void {
  process.on('message', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    process.send?.({ cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, maxRssMiB: maxRSS / 1024 } satisfies Usage);
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.(report);
}
