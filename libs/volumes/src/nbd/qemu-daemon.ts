import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** For tests: a `qemu-storage-daemon` in a folder of its own, told what to do by QMP. */
export class QemuDaemon {
  private readonly answers: { resolve: (value: unknown) => void; reject: (error: Error) => void }[] = [];

  private constructor(
    readonly folder: string,
    private readonly process: ChildProcess,
    private readonly monitor: Socket,
  ) {
    createInterface(monitor).on('line', (line) => {
      const said = JSON.parse(line);
      if ('return' in said) this.answers.shift()?.resolve(said.return);
      if ('error' in said) this.answers.shift()?.reject(new Error(said.error.desc));
    });
  }

  static async start(): Promise<QemuDaemon> {
    const folder = await mkdtemp(join(tmpdir(), 'goldleaf-qsd-'));
    const path = join(folder, 'qmp.sock');
    const server = createServer().listen(path);
    await once(server, 'listening');
    const nbd = `addr.type=unix,addr.path=${join(folder, 'nbd.sock')},max-connections=0`;
    const args = ['--nbd-server', nbd, '--chardev', `socket,id=qmp,path=${path}`, '--monitor', 'chardev=qmp'];
    const child = spawn('qemu-storage-daemon', args, { stdio: 'ignore' });
    const [monitor]: Socket[] = await once(server, 'connection');
    server.close();
    if (!monitor) throw new Error('qemu-storage-daemon has not started');
    const daemon = new QemuDaemon(folder, child, monitor);
    await daemon.tell('qmp_capabilities');
    return daemon;
  }

  get socketPath(): string {
    return join(this.folder, 'nbd.sock');
  }

  uri(name: string): string {
    return `nbd+unix:///${name}?socket=${this.socketPath}`;
  }

  tell(execute: string, args: object = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.answers.push({ resolve, reject });
      this.monitor.write(`${JSON.stringify({ execute, arguments: args })}\n`);
    });
  }

  kill(): void {
    this.process.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    this.monitor.destroy();
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill('SIGKILL');
      await once(this.process, 'exit');
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}
