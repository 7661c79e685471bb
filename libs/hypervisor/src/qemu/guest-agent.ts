import { randomInt } from 'node:crypto';
import type { Socket } from 'node:net';
import { z } from 'zod';
import { delay } from '../delay.js';
import type { GuestCommand, GuestResult } from '../hypervisor-driver.js';
import { MachineError } from '../machine-error.js';
import { LineSplitter } from './line-splitter.js';
import { connectUnixSocket } from './unix-socket.js';

const reply = z.object({
  return: z.unknown().optional(),
  error: z.object({ class: z.string(), desc: z.string() }).optional(),
});
const fileRead = z.object({ 'buf-b64': z.string() });
const execStarted = z.object({ pid: z.int() });
const execStatus = z.object({
  exited: z.boolean(),
  exitcode: z.int().optional(),
  signal: z.int().optional(),
  'out-data': z.string().optional(),
  'err-data': z.string().optional(),
});

/**
 * Of all that an agent says in one conversation: a hundred times what our programs print, and parsed in milliseconds. An
 * agent may be whatever root of the desktop has put in its place, and could fill the memory of its host.
 */
const MAX_HEARD_BYTES = 4 << 20;
/** Each costs its host more than its bytes do. */
const MAX_HEARD_LINES = 4096;
/** Of a file. */
const MAX_READ_BYTES = 4096;
/** An agent that just comes up loses what was sent before; asked again after this time. */
const SYNC_ATTEMPT_MS = 1_000;
const END_OF_GARBAGE = 0xff;
/** What that byte, which is never part of UTF-8, is read as. */
const DELIMITER = '\uFFFD';

/** The guest agent refused a command, e.g. because a file does not exist. */
export class GuestAgentRefusal extends Error {
  override readonly name = 'GuestAgentRefusal';
}

/**
 * One conversation with the agent inside a guest. What comes from a guest is not to be trusted: every answer is
 * checked, bounded in size and in time.
 */
export class GuestAgent {
  private splitter = new LineSplitter(MAX_HEARD_BYTES);
  private lines: string[] = [];
  private heardBytes = 0;
  private heardLines = 0;
  private wake: (() => void) | undefined;
  private failure: Error | undefined;

  private constructor(
    private readonly socket: Socket,
    private deadline: number,
    private readonly signal: AbortSignal | undefined,
  ) {
    socket.on('data', (chunk: Buffer) => this.read(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => this.fail(new Error('the connection was closed')));
    signal?.addEventListener('abort', this.onAbort, { once: true });
  }

  /**
   * Opens a conversation, talks, and closes it whatever happens.
   * @param timeoutMs for the whole conversation
   * @throws MachineError `guest-unresponsive`; GuestAgentRefusal; the reason of the signal
   */
  static async talk<T>(
    socketPath: string,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    conversation: (agent: GuestAgent) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const deadline = Date.now() + timeoutMs;
    let agent: GuestAgent | undefined;
    try {
      agent = new GuestAgent(await connectUnixSocket(socketPath, timeoutMs), deadline, signal);
      await agent.synchronise();
      return await conversation(agent);
    } catch (cause) {
      signal?.throwIfAborted();
      if (cause instanceof GuestAgentRefusal || cause instanceof MachineError) throw cause;
      throw new MachineError('guest-unresponsive', `the guest agent does not answer: ${(cause as Error).message}`, {
        cause,
      });
    } finally {
      agent?.close();
    }
  }

  /** Whether the file exists and root can read it; costs the guest no process. */
  async fileExists(path: string): Promise<boolean> {
    try {
      const handle = await this.call('guest-file-open', { path, mode: 'r' });
      await this.call('guest-file-close', { handle });
      return true;
    } catch (error) {
      if (error instanceof GuestAgentRefusal) return false;
      throw error;
    }
  }

  /** The start of a file, undefined when there is none; costs the guest no process. */
  async readFile(path: string): Promise<string | undefined> {
    if (!(await this.fileExists(path))) return undefined;
    const handle = await this.call('guest-file-open', { path, mode: 'r' });
    const { 'buf-b64': content } = fileRead.parse(
      await this.call('guest-file-read', { handle, count: MAX_READ_BYTES }),
    );
    await this.call('guest-file-close', { handle });
    return decode(content);
  }

  /** Runs a program to its end. */
  async run(command: GuestCommand): Promise<GuestResult> {
    const { pid } = execStarted.parse(
      await this.call('guest-exec', {
        path: command.path,
        arg: command.args,
        'capture-output': true,
        ...(command.input === undefined ? {} : { 'input-data': Buffer.from(command.input).toString('base64') }),
      }),
    );
    if (command.leastMs !== undefined) await delay(command.leastMs, this.signal);
    for (let pauseMs = 20; ; pauseMs = Math.min(250, pauseMs * 1.5)) {
      const status = execStatus.parse(await this.call('guest-exec-status', { pid }));
      if (status.exited) {
        return {
          // As shells have it: ended by a signal is 128 and more.
          exitCode: status.exitcode ?? 128 + (status.signal ?? 0),
          stdout: decode(status['out-data']),
          stderr: decode(status['err-data']),
        };
      }
      if (Date.now() + pauseMs > this.deadline) throw new Error(`${command.path} did not end in time`);
      await delay(pauseMs, this.signal);
    }
  }

  /** Sets another deadline for the rest of the conversation, from now. */
  allow(timeoutMs: number): void {
    this.deadline = Date.now() + timeoutMs;
  }

  /** One command and its answer. @throws GuestAgentRefusal */
  async call(command: string, args: Record<string, unknown>): Promise<unknown> {
    this.socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    const answer = reply.parse(JSON.parse(await this.nextLine(this.deadline)));
    if (answer.error) throw new GuestAgentRefusal(`${command}: ${answer.error.desc}`);
    return answer.return;
  }

  /** Throws away what an earlier conversation left in the channel. */
  private async synchronise(): Promise<void> {
    for (;;) {
      const id = randomInt(1, 2 ** 31);
      const request = JSON.stringify({ execute: 'guest-sync-delimited', arguments: { id } });
      this.socket.write(Buffer.concat([Buffer.from([END_OF_GARBAGE]), Buffer.from(`${request}\n`)]));
      const until = Math.min(this.deadline, Date.now() + SYNC_ATTEMPT_MS);
      try {
        for (;;) {
          const line = await this.nextLine(until);
          if (isSyncAnswer(line, id)) return;
        }
      } catch (error) {
        if (this.failure || Date.now() >= this.deadline) throw error;
      }
    }
  }

  private async nextLine(until: number): Promise<string> {
    for (;;) {
      const line = this.lines.shift();
      if (line !== undefined) return line;
      if (this.failure) throw this.failure;
      const leftMs = until - Date.now();
      if (leftMs <= 0) throw new Error('no answer in time');
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  private read(chunk: Buffer): void {
    try {
      this.heardBytes += chunk.length;
      const lines = this.heardBytes > MAX_HEARD_BYTES ? [] : this.splitter.push(chunk);
      this.heardLines += lines.length;
      if (this.heardBytes > MAX_HEARD_BYTES || this.heardLines > MAX_HEARD_LINES) throw new Error('it says too much');
      this.lines.push(...lines);
      this.wake?.();
    } catch (error) {
      this.lines = [];
      this.socket.destroy();
      this.fail(error as Error);
    }
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.wake?.();
  }

  private readonly onAbort = (): void => this.fail(new Error('aborted'));

  private close(): void {
    this.signal?.removeEventListener('abort', this.onAbort);
    this.socket.destroy();
  }
}

/** The agent marks its answer with the delimiter; what stands before it on the line is left over from earlier. */
function isSyncAnswer(line: string, id: number): boolean {
  try {
    return reply.parse(JSON.parse(line.slice(line.lastIndexOf(DELIMITER) + 1))).return === id;
  } catch {
    return false;
  }
}

const decode = (base64: string | undefined): string => Buffer.from(base64 ?? '', 'base64').toString('utf8');
