import { spawn } from 'node:child_process';
import { chmod, chown, mkdir, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { EmbeddedServer, EmbeddedServerOptions } from './embedded-server.js';
import { endStaleServer, writeServerRecord } from './server-record.js';

const logLimitBytes = 10 * 1024 * 1024;

const recordIn = (folder: string): string => join(folder, 'process.json');

/** Makes the server's private folder, and ends the server of an earlier run that was killed, so that its port is free. */
export async function prepareFolder({ folder, owner }: EmbeddedServerOptions): Promise<void> {
  await endStaleServer(recordIn(folder));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  if (owner) await chown(folder, owner.uid, owner.gid);
}

/** The environment of a child: nothing of ours, which may hold secrets, beyond what a program needs to run. */
export const childEnvironment = (folder: string): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: folder,
  LANG: 'C.UTF-8',
});

interface Launch {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly port: number;
  readonly url: string;
  readonly stopSignal: NodeJS.Signals;
  /** Answers when the server really serves; throws as long as it does not. */
  readonly check: () => Promise<void>;
  readonly readyTimeoutMs: number;
}

/** Starts one server in its own process group, waits until it serves, and ends it again when it does not. */
export async function launch(launchOf: Launch, options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const { name, command, args, port, url } = launchOf;
  const record = recordIn(options.folder);
  const log = await openLog(join(options.folder, `${name}.log`));
  const child = spawn(command, args, {
    cwd: options.folder,
    env: childEnvironment(options.folder),
    // A group of its own: Ctrl-C in the terminal reaches only us, so that we can end things in order.
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    ...(options.owner && { uid: options.owner.uid, gid: options.owner.gid }),
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`${name} could not be started: ${error.message}`));
    child.once('exit', (code, signal) => resolve(`${name} ended with ${signal ?? `exit code ${code}`}`));
  });
  await log.close();
  let running = true;
  void ended.then(() => {
    running = false;
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(await ended);
  await writeServerRecord(record, pid);

  const signalGroup = (signal: NodeJS.Signals): void => {
    try {
      process.kill(-pid, signal);
    } catch {
      // Nobody of the group is left.
    }
  };
  const stop = async (): Promise<void> => {
    if (running) process.kill(pid, launchOf.stopSignal);
    const force = setTimeout(() => signalGroup('SIGKILL'), 5_000);
    await ended;
    clearTimeout(force);
    signalGroup('SIGKILL');
    // Children that die now still hold the port: wait until they are gone.
    await endStaleServer(record);
  };

  const deadline = Date.now() + launchOf.readyTimeoutMs;
  for (;;) {
    try {
      await launchOf.check();
      break;
    } catch (cause) {
      if (!running) throw new Error(`${await ended}; see ${name}.log in ${options.folder}`, { cause });
      if (Date.now() > deadline) {
        await stop();
        throw new Error(`${name} did not get ready in time; see ${name}.log in ${options.folder}`, { cause });
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  options.logger.debug({ server: name, pid, port }, 'server ready');
  return { url, port, pid, ended, stop };
}

async function openLog(file: string) {
  const size = await stat(file).then(
    (facts) => facts.size,
    () => 0,
  );
  return await open(file, size > logLimitBytes ? 'w' : 'a', 0o600);
}
