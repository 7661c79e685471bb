import { Agent, request } from 'node:http';
import { z } from 'zod';

/** The calls of a logon, in their order. */
export const calls = ['login', 'me/pools', 'sessions', 'tickets'] as const;
export type Call = (typeof calls)[number];
/** Milliseconds that each call took, one entry for each person. */
export type Samples = Record<Call, number[]>;

export interface LogonTask {
  readonly url: string;
  readonly usernames: readonly string[];
  readonly atOnce: number;
}

/** Makes people go from sign-in to ticket, so many at a time. */
export async function logOn(task: LogonTask): Promise<Samples> {
  const agent = new Agent({ keepAlive: true, maxSockets: task.atOnce });
  const samples: Samples = { login: [], 'me/pools': [], sessions: [], tickets: [] };
  const waiting = [...task.usernames];
  const worker = async (): Promise<void> => {
    for (let username = waiting.shift(); username !== undefined; username = waiting.shift()) {
      await logOnOne(agent, task.url, username, samples);
    }
  };
  await Promise.all(Array.from({ length: task.atOnce }, worker));
  agent.destroy();
  return samples;
}

async function logOnOne(agent: Agent, url: string, username: string, samples: Samples): Promise<void> {
  const timed = async (call: Call, method: string, path: string, body?: unknown, token?: string): Promise<unknown> => {
    const startedAt = performance.now();
    const answer = await send(agent, `${url}/api/v1${path}`, method, body, token);
    samples[call].push(performance.now() - startedAt);
    return answer;
  };
  const credentials = { username, password: `${username}-demo` };
  const { token } = z.object({ token: z.string() }).parse(await timed('login', 'POST', '/login', credentials));
  await timed('me/pools', 'GET', '/me/pools', undefined, token);
  const session = await timed('sessions', 'POST', '/sessions', { pool: 'call-center' }, token);
  const { id, state } = z.object({ id: z.string(), state: z.string() }).parse(session);
  if (state !== 'ready') throw new Error(`the session of ${username} is ${state}: no spare was left`);
  await timed('tickets', 'POST', `/sessions/${id}/tickets`, undefined, token);
}

function send(agent: Agent, url: string, method: string, body: unknown, token: string | undefined): Promise<unknown> {
  const text = body === undefined ? '' : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      agent,
      method,
      headers: {
        ...(text === '' ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
    });
    sent.once('error', reject);
    sent.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        const answer = Buffer.concat(chunks).toString();
        if ((response.statusCode ?? 500) >= 300)
          reject(new Error(`${method} ${url}: ${response.statusCode} ${answer}`));
        else resolve(JSON.parse(answer));
      });
    });
    sent.end(text);
  });
}
