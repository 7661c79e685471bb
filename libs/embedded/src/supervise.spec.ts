import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { until } from '#libs/testing';
import type { EmbeddedServer } from './embedded-server.js';
import { supervise } from './supervise.js';

const logger = pino({ level: 'silent' });

/** A server that dies when told to. */
function fakeServer(port: number, pid: number) {
  let end: (how: string) => void = () => undefined;
  const ended = new Promise<string>((resolve) => {
    end = resolve;
  });
  let stops = 0;
  const server: EmbeddedServer = {
    url: `fake://127.0.0.1:${port}`,
    port,
    pid,
    ended,
    stop: async () => {
      stops += 1;
      end('stopped');
    },
  };
  return { server, die: () => end('fake ended with SIGKILL'), stops: () => stops };
}

describe('supervise', () => {
  it('starts a dead server again on its port, also after failed attempts', async () => {
    const first = fakeServer(7000, 1);
    const elsewhere = fakeServer(7001, 2);
    const last = fakeServer(7000, 3);
    const asked: (number | undefined)[] = [];
    const answers = [
      () => first.server,
      () => {
        throw new Error('no memory');
      },
      () => elsewhere.server,
      () => last.server,
    ];
    const server = await supervise(
      'fake',
      async (port) => {
        asked.push(port);
        return (answers.shift() ?? (() => last.server))();
      },
      { logger, preferredPort: 6999 },
    );
    first.die();
    await until('third start', () => server.pid === 3);
    expect(asked).toEqual([6999, 7000, 7000, 7000]);
    // One on another port would not be found by anybody.
    expect(elsewhere.stops()).toBe(1);
    // What is left of a dead server is cleared away before its successor comes.
    expect(first.stops()).toBe(1);
    await server.stop();
    expect(last.stops()).toBeGreaterThan(0);
  });

  it('can be stopped in the pause before a restart', async () => {
    const first = fakeServer(7000, 1);
    let attempts = 0;
    const server = await supervise(
      'fake',
      async () => {
        attempts += 1;
        if (attempts > 1) throw new Error('still broken');
        return first.server;
      },
      { logger },
    );
    first.die();
    await until('third attempt', () => attempts === 3);
    await server.stop();
    const attemptsAtStop = attempts;
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(attempts).toBe(attemptsAtStop);
  });

  it('ends a server whose start was under way when told to stop', async () => {
    const first = fakeServer(7000, 1);
    const second = fakeServer(7000, 2);
    let finishStart: (server: EmbeddedServer) => void = () => undefined;
    let starts = 0;
    const server = await supervise(
      'fake',
      () => {
        starts += 1;
        if (starts === 1) return Promise.resolve(first.server);
        return new Promise((resolve) => {
          finishStart = resolve;
        });
      },
      { logger },
    );
    first.die();
    await until('second start', () => starts === 2);
    const stopped = server.stop();
    finishStart(second.server);
    await stopped;
    expect(second.stops()).toBe(1);
  });

  it('passes on the failure of the very first start', async () => {
    const failing = supervise('fake', () => Promise.reject(new Error('not installed')), { logger });
    await expect(failing).rejects.toThrow('not installed');
  });
});
