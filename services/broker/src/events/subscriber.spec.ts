import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { WebSocket } from 'ws';
import type { EventMessage } from '#libs/contracts';
import { silentLogger } from '#libs/telemetry';
import { Subscriber } from './subscriber.js';

class FakeSocket extends EventEmitter {
  readyState = 1;
  bufferedAmount = 0;
  readonly sent: string[] = [];
  readonly did: string[] = [];
  send(text: string) {
    this.sent.push(text);
  }
  ping() {
    this.did.push('ping');
  }
  close(code: number) {
    this.did.push(`close ${code}`);
    this.readyState = 2;
  }
  terminate() {
    this.did.push('terminate');
    this.readyState = 3;
  }
}

function make() {
  const socket = new FakeSocket();
  const principal = { username: 'alice', displayName: 'A', roles: [], tokenHash: 'h', isAdmin: false };
  return { socket, subscriber: new Subscriber(socket as unknown as WebSocket, principal, silentLogger()) };
}

const pool = (available: number): EventMessage => ({
  event: 'pool',
  data: { name: 'p1', displayName: 'P', description: '', available, hasProfile: false },
});
const settled = () => new Promise(setImmediate);

describe('Subscriber', () => {
  it('reads once for a storm of marks and sends only what changed', async () => {
    const { socket, subscriber } = make();
    let reads = 0;
    const read = async () => {
      reads += 1;
      await settled();
      return [pool(reads)];
    };
    for (let change = 0; change < 100; change += 1) subscriber.mark('pools', read);
    await settled();
    await settled();
    await settled();
    await settled();
    expect(reads).toBe(2);
    expect(socket.sent.map((text) => JSON.parse(text).data.available)).toEqual([1, 2]);
    subscriber.mark('pools', async () => [pool(2)]);
    await settled();
    expect(socket.sent).toHaveLength(2);
  });

  it('goes on after a reading that failed', async () => {
    const { socket, subscriber } = make();
    subscriber.mark('a', () => Promise.reject(new Error('database is away')));
    subscriber.mark('b', async () => [pool(3)]);
    await settled();
    expect(socket.sent).toHaveLength(1);
  });

  it('drops a client that does not read, or does not answer a ping', () => {
    const slow = make();
    slow.socket.bufferedAmount = 2 * 1024 * 1024;
    slow.subscriber.send(pool(1));
    expect(slow.socket.sent).toEqual([]);
    expect(slow.socket.did).toEqual(['close 1013', 'terminate']);

    const silent = make();
    silent.subscriber.heartbeat();
    silent.socket.emit('pong');
    silent.subscriber.heartbeat();
    silent.subscriber.heartbeat();
    expect(silent.socket.did).toEqual(['ping', 'ping', 'terminate']);
  });
});
