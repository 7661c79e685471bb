import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { pino } from 'pino';
import { startGuacd } from './guacd.js';
import { startPostgres } from './postgres.js';
import { processOwner } from './process-owner.js';
import { startRedis } from './redis.js';
import { endStaleServer } from './server-record.js';
import { supervise } from './supervise.js';

const logger = pino({ level: 'silent' });
const owner = processOwner();
let folder: string;
let stop: (() => Promise<void>)[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'goldleaf-embedded-'));
  chmodSync(folder, 0o711);
});
afterEach(async () => {
  await Promise.all(stop.map((end) => end()));
  stop = [];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const optionsOf = (name: string) => ({ folder: join(folder, name), owner, logger });
const isAlive = (pid: number) =>
  existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

async function eventually<T>(check: () => Promise<T>, timeoutMs = 20_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows[0];
  } finally {
    await client.end();
  }
}

describe('embedded PostgreSQL', () => {
  it('keeps its data over a restart, runs unprivileged and shows its password to nobody', async () => {
    const first = await startPostgres(optionsOf('postgres'));
    await ask(first.url, "CREATE TABLE kept AS SELECT 'still here' AS what");
    const { password } = new URL(first.url);
    const commandLine = readFileSync(`/proc/${first.pid}/cmdline`, 'utf8');
    expect(commandLine).toContain('listen_addresses=127.0.0.1');
    expect(commandLine).not.toContain(password);
    expect(statSync(join(folder, 'postgres/password')).mode & 0o777).toBe(0o600);
    if (owner) expect(statSync(`/proc/${first.pid}`).uid).toBe(owner.uid);
    await expect(ask(first.url.replace(password, 'wrong'), 'SELECT 1')).rejects.toThrow(/password/);
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);

    const second = await startPostgres({ ...optionsOf('postgres'), preferredPort: first.port });
    stop.push(() => second.stop());
    expect(new URL(second.url).password).toBe(password);
    expect(await ask(second.url, 'SELECT what FROM kept')).toEqual({ what: 'still here' });
  });

  it('comes back by itself, on the same port, when it is killed', async () => {
    const start = (preferredPort?: number) =>
      startPostgres({ ...optionsOf('killed'), ...(preferredPort !== undefined && { preferredPort }) });
    const server = await supervise('postgres', start, { logger });
    stop.push(() => server.stop());
    const before = server.pid ?? 0;
    process.kill(before, 'SIGKILL');
    await eventually(async () => {
      expect(server.pid).not.toBe(before);
      expect(await ask(server.url, 'SELECT 1 AS one')).toEqual({ one: 1 });
    });
  });

  it('does not take an interrupted first start for a database', async () => {
    execFileSync('mkdir', ['-p', join(folder, 'interrupted/data.unfinished/base')]);
    const server = await startPostgres(optionsOf('interrupted'));
    stop.push(() => server.stop());
    expect(await ask(server.url, 'SELECT current_database() AS name')).toEqual({ name: 'goldleaf' });
  });
});

describe('embedded Redis', () => {
  it('wants its password and does not have it in its arguments', async () => {
    const server = await startRedis(optionsOf('redis'));
    stop.push(() => server.stop());
    const { password, port } = new URL(server.url);
    expect(readFileSync(`/proc/${server.pid}/cmdline`, 'utf8')).not.toContain(password);
    const stranger = new Redis(Number(port), '127.0.0.1', { lazyConnect: true, enableReadyCheck: false });
    stranger.on('error', () => undefined);
    await expect(stranger.connect().then(() => stranger.get('x'))).rejects.toThrow(/NOAUTH/);
    stranger.disconnect();
    const friend = new Redis(server.url);
    expect((await friend.config('GET', 'maxmemory-policy')) as string[]).toContain('noeviction');
    friend.disconnect();
  });
});

describe('what a killed run left behind', () => {
  it('is ended by the next one, guacd with the children of its sessions', async () => {
    const left = await startGuacd(optionsOf('guacd'));
    const session = connect(left.port, '127.0.0.1');
    session.on('error', () => undefined);
    await new Promise((resolve) => {
      session.once('data', resolve);
      session.write('6.select,3.vnc;');
    });
    const children = execFileSync('pgrep', ['-P', String(left.pid)], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map(Number);
    expect(children.length).toBeGreaterThan(0);
    process.kill(left.pid, 'SIGKILL');
    await left.ended;

    const next = await startGuacd({ ...optionsOf('guacd'), preferredPort: left.port });
    stop.push(() => next.stop());
    expect(children.some(isAlive)).toBe(false);
    session.destroy();
  });

  it('is not mistaken for a stranger that now has its process number', async () => {
    const server = await startRedis(optionsOf('record'));
    stop.push(() => server.stop());
    const record = join(folder, 'record/process.json');
    const facts = JSON.parse(readFileSync(record, 'utf8'));
    writeFileSync(record, JSON.stringify({ ...facts, startTicks: facts.startTicks - 1 }));
    expect(await endStaleServer(record)).toBe(false);
    expect(isAlive(server.pid)).toBe(true);
    writeFileSync(record, 'not JSON');
    expect(await endStaleServer(record)).toBe(false);
  });
});

describe('a server that cannot start', () => {
  it('says why', async () => {
    await expect(startGuacd({ ...optionsOf('none'), command: '/no/such/guacd' })).rejects.toThrow(
      /could not be started/,
    );
    await expect(startGuacd({ ...optionsOf('false'), command: 'false' })).rejects.toThrow(/exit code 1; see guacd.log/);
  });
});
