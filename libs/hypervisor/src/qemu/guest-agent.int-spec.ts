import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { GuestAgent } from './guest-agent.js';

const request = z.object({ execute: z.string(), arguments: z.record(z.string(), z.unknown()) });
type Request = z.infer<typeof request>;

describe('GuestAgent', () => {
  let dir: string;
  let server: Server;
  let onRequest: (asked: Request, socket: Socket) => void;
  const path = () => join(dir, 'agent.sock');
  const answer = (socket: Socket, value: unknown) => socket.write(`${JSON.stringify({ return: value })}\n`);
  const sync = (asked: Request, socket: Socket) =>
    socket.write(Buffer.concat([Buffer.from([0xff]), Buffer.from(`{"return": ${asked.arguments.id}}\n`)]));

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'goldleaf-agent-'));
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        const lines = data.toString('latin1').replaceAll('\xff', '').trim().split('\n');
        for (const line of lines) onRequest(request.parse(JSON.parse(line)), socket);
      });
    });
    await new Promise<void>((resolve) => server.listen(path(), resolve));
  });
  afterEach(async () => {
    server.close();
    await rm(dir, { recursive: true });
  });

  it('passes over what an earlier conversation left, and reads output that arrives in pieces', async () => {
    onRequest = (asked, socket) => {
      if (asked.execute === 'guest-sync-delimited') {
        socket.write('{"return": {"pid": 99}}\n{"return": 1}\n{"half": ');
        sync(asked, socket);
      } else if (asked.execute === 'guest-exec') answer(socket, { pid: 7 });
      else {
        const text = JSON.stringify({ return: { exited: true, exitcode: 3, 'out-data': 'w7zFpGQ=' } });
        socket.write(text.slice(0, 20));
        setImmediate(() => socket.write(`${text.slice(20)}\n`));
      }
    };
    const result = await GuestAgent.talk(path(), 2_000, undefined, (agent) =>
      agent.run({ path: '/bin/x', args: [], timeoutMs: 2_000 }),
    );
    expect(result).toEqual({ exitCode: 3, stdout: Buffer.from('w7zFpGQ=', 'base64').toString(), stderr: '' });
  });

  it('asks again while the agent comes up', async () => {
    let asks = 0;
    onRequest = (asked, socket) => {
      asks += 1;
      if (asked.execute !== 'guest-sync-delimited') answer(socket, 5);
      else if (asks > 1) sync(asked, socket);
    };
    await expect(GuestAgent.talk(path(), 5_000, undefined, (agent) => agent.fileExists('/x'))).resolves.toBe(true);
    expect(asks).toBe(4);
  });

  it('gives up at the deadline, at an abort, and when the guest goes away', async () => {
    onRequest = () => undefined;
    const unresponsive = { name: 'MachineError', code: 'guest-unresponsive' };
    const look = (timeoutMs: number, signal?: AbortSignal) =>
      GuestAgent.talk(path(), timeoutMs, signal, (agent) => agent.fileExists('/x'));
    await expect(look(50)).rejects.toMatchObject(unresponsive);
    const abort = new AbortController();
    const waits = look(60_000, abort.signal);
    setImmediate(() => abort.abort(new Error('enough')));
    await expect(waits).rejects.toThrow('enough');
    onRequest = (_, socket) => void socket.destroy();
    await expect(look(60_000)).rejects.toMatchObject(unresponsive);
  });

  it.each([
    ['a line without an end', () => Buffer.alloc(64 << 10, 'x')],
    ['lines without an end', () => Buffer.alloc(64 << 10, '\n')],
  ])('hears no more of %s than it has to', async (_, some) => {
    let sentBytes = 0;
    onRequest = (_asked, socket) => {
      const send = () => {
        while (!socket.destroyed) {
          sentBytes += 64 << 10;
          if (!socket.write(some())) return void socket.once('drain', send);
        }
      };
      send();
    };
    const look = GuestAgent.talk(path(), 60_000, undefined, (agent) => agent.fileExists('/x'));
    await expect(look).rejects.toMatchObject({
      code: 'guest-unresponsive',
      message: expect.stringContaining('too much'),
    });
    expect(sentBytes).toBeLessThan(16 << 20);
  });

  it('takes an answer of the wrong shape for no answer', async () => {
    onRequest = (asked, socket) => {
      if (asked.execute === 'guest-sync-delimited') sync(asked, socket);
      else answer(socket, { pid: 'seven' });
    };
    await expect(
      GuestAgent.talk(path(), 1_000, undefined, (agent) => agent.run({ path: '/x', args: [], timeoutMs: 1_000 })),
    ).rejects.toMatchObject({ code: 'guest-unresponsive' });
  });
});
