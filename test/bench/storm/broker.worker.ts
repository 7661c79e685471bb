import { setTimeout as wait } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { MessageBus } from '#libs/bus';
import { SessionQueries, SessionService } from '#libs/sessions';
import { type StormTask, startStormApp } from './storm-app.js';

/** People who log on here. With `perSecond` they come at that rate, otherwise `atOnce` of them at any time. */
export interface StormWave {
  readonly usernames: readonly string[];
  readonly atOnce: number;
  readonly perSecond?: number;
  /** How long each keeps the desktop before logging off. */
  readonly staysMs: number;
}

export interface StormResult {
  /** Milliseconds from the click to a session with a desktop, one for each person. */
  readonly waits: number[];
  /** How many had to wait in the queue. */
  queued: number;
}

const app = await startStormApp(workerData as StormTask, 'broker');
const sessions = app.get(SessionService);
const queries = app.get(SessionQueries);
const ready = new Map<string, () => void>();
app.get(MessageBus).subscribe((message) => {
  if (message.type === 'session' && message.state === 'ready') ready.get(message.sessionId)?.();
});

const owner = (username: string) => ({ username, roles: ['call-center'] });

async function logOn(username: string, result: StormResult, staysMs: number): Promise<void> {
  const startedAt = performance.now();
  const session = await sessions.open(owner(username), { pool: 'call-center' });
  if (session.state !== 'ready') {
    result.queued += 1;
    await untilReady(username, session.id);
  }
  result.waits.push(performance.now() - startedAt);
  await wait(staysMs);
  await sessions.logOff(owner(username), session.id);
}

/** By the message of the bus, as the portal is told; it may have come before anybody listened. */
async function untilReady(username: string, id: string): Promise<void> {
  const told = new Promise<void>((resolve) => void ready.set(id, resolve));
  while ((await queries.view(username, id)).state !== 'ready') await Promise.race([told, wait(1_000)]);
  ready.delete(id);
}

async function run(wave: StormWave): Promise<StormResult> {
  const result: StormResult = { waits: [], queued: 0 };
  const { perSecond, staysMs } = wave;
  if (perSecond !== undefined) {
    const startedAt = performance.now();
    const people = wave.usernames.map(async (username, at) => {
      await wait(Math.max(0, startedAt + (at * 1_000) / perSecond - performance.now()));
      await logOn(username, result, staysMs);
    });
    await Promise.all(people);
    return result;
  }
  const waiting = [...wave.usernames].reverse();
  const desk = async () => {
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) await logOn(name, result, staysMs);
  };
  await Promise.all(Array.from({ length: wave.atOnce }, desk));
  return result;
}

parentPort?.on('message', (wave: StormWave | 'stop') => {
  if (wave === 'stop') void app.close().then(() => parentPort?.postMessage('stopped'));
  else void run(wave).then((result) => parentPort?.postMessage(result));
});
parentPort?.postMessage('started');
