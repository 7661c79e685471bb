import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { QmpClient } from './qmp-client.js';

describe('QmpClient', () => {
  let dir: string;
  let server: Server;
  let answer: (command: { execute: string; id: number }, socket: Socket) => void;
  const path = () => join(dir, 'qmp.sock');

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'goldleaf-qmp-'));
    answer = ({ id }, socket) => socket.write(`{"return": {}, "id": ${id}}\r\n`);
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write('{"QMP": {"version": {}, "capabilities": []}}\r\n');
      socket.on('data', (data) => {
        for (const line of data.toString().trim().split('\n')) answer(JSON.parse(line), socket);
      });
    });
    await new Promise<void>((resolve) => server.listen(path(), resolve));
  });
  afterEach(async () => {
    server.close();
    await rm(dir, { recursive: true });
  });

  it('matches answers to commands between events, in whatever pieces they arrive', async () => {
    const client = await QmpClient.connect(path(), 1_000);
    answer = ({ id, execute }, socket) => {
      if (execute !== 'second') return void setImmediate(() => socket.write(`"${execute}", "id": ${id}}\n`));
      socket.write(`{"event": "RESUME", "data": {}}\n{"return": "second", "id": ${id}}\n{"return": `);
    };
    const [second, first] = await Promise.all([client.execute('second'), client.execute('first')]);
    expect([first, second]).toEqual(['first', 'second']);
    client.close();
  });

  it('rejects what QEMU refuses, what it does not answer in time, and what was asked when the connection ends', async () => {
    const client = await QmpClient.connect(path(), 1_000);
    answer = ({ id }, socket) => socket.write(`{"error": {"class": "GenericError", "desc": "no"}, "id": ${id}}\n`);
    await expect(client.execute('refused')).rejects.toThrow('refused: no');
    answer = () => undefined;
    await expect(client.execute('silent', {}, 20)).rejects.toThrow('no answer within 20 ms');
    answer = (_, socket) => void socket.destroy();
    await expect(client.execute('last')).rejects.toThrow('the connection was closed');
    expect(client.isClosed).toBe(true);
    await expect(client.execute('later')).rejects.toThrow('closed');
  });

  it('waits for the event that matches, until its deadline or the end of the connection', async () => {
    const client = await QmpClient.connect(path(), 1_000);
    const deleted = (device: string) => `{"event": "DEVICE_DELETED", "data": {"device": "${device}"}}\n`;
    answer = ({ id }, socket) =>
      socket.write(`${deleted('one')}{"event": "STOP"}\n${deleted('two')}{"return": {}, "id": ${id}}\n`);
    const isTwo = (data: unknown) => (data as { device: string }).device === 'two';
    const event = client.waitForEvent('DEVICE_DELETED', isTwo, 5_000);
    await client.execute('device_del');
    expect(await event).toEqual({ device: 'two' });
    await expect(client.waitForEvent('DEVICE_DELETED', isTwo, 20)).rejects.toThrow('DEVICE_DELETED: not within 20 ms');
    const last = client.waitForEvent('DEVICE_DELETED', isTwo, 60_000);
    client.close();
    await expect(last).rejects.toThrow('the connection was closed');
  });

  it('closes when what arrives is not the protocol', async () => {
    const client = await QmpClient.connect(path(), 1_000);
    answer = (_, socket) => void socket.write('not json\n');
    await expect(client.execute('any')).rejects.toThrow('closed');
  });
});
