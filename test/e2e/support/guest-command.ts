import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { until } from './until.js';

const answerSchema = z.object({ return: z.unknown().optional(), error: z.unknown().optional() });
const startedSchema = z.object({ pid: z.int() });
const statusSchema = z.object({ exited: z.boolean(), exitcode: z.int().optional() });
const TIMEOUT_MS = 60_000;

/** Runs a shell command in a guest, past all of Goldleaf. @param socketPath of its agent @returns its exit code */
export async function runInGuest(socketPath: string, command: string): Promise<number> {
  // Goldleaf may be talking to the agent, which listens to one at a time.
  return until('the agent of the guest', () => talk(socketPath, command), TIMEOUT_MS);
}

async function talk(socketPath: string, command: string): Promise<number> {
  const socket = connect(socketPath);
  socket.setTimeout(10_000, () => socket.destroy(new Error('the agent of the guest is silent')));
  try {
    const ask = asker(socket);
    await ask('guest-sync', { id: Date.now() });
    const exec = { path: '/bin/sh', arg: ['-c', command] };
    const { pid } = startedSchema.parse(await ask('guest-exec', exec));
    const ended = async () => {
      const status = statusSchema.parse(await ask('guest-exec-status', { pid }));
      return status.exited && { code: status.exitcode ?? -1 };
    };
    return (await until(`the end of: ${command}`, ended, TIMEOUT_MS)).code;
  } finally {
    socket.destroy();
  }
}

function asker(socket: Socket): (execute: string, parameters: object) => Promise<unknown> {
  const lines = createInterface({ input: socket });
  const failed = new Promise<never>((_, reject) => socket.once('error', reject));
  failed.catch(() => undefined);
  return async (execute, parameters) => {
    const line = new Promise<string>((resolve) => lines.once('line', resolve));
    socket.write(`${JSON.stringify({ execute, arguments: parameters })}\n`);
    const answer = answerSchema.parse(JSON.parse(await Promise.race([line, failed])));
    if (answer.error !== undefined) throw new Error(`${execute}: ${JSON.stringify(answer.error)}`);
    return answer.return;
  };
}
