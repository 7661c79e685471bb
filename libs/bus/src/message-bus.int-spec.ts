import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import type { BusMessage } from '#libs/contracts';
import { silentLogger } from '#libs/telemetry';
import { createTestRedis, type TestRedis } from '#libs/testing';
import { createRedis } from './create-redis.js';
import { MessageBus } from './message-bus.js';

describe('MessageBus', () => {
  let redis: TestRedis;
  let connections: Redis[];

  const newBus = () => {
    const [publisher, subscriber] = ['publisher', 'subscriber'].map((role) =>
      createRedis(redis.url, role, () => undefined),
    ) as [Redis, Redis];
    connections.push(publisher, subscriber);
    return { bus: new MessageBus(publisher, subscriber, silentLogger()), publisher, subscriber };
  };

  beforeEach(async () => {
    redis = await createTestRedis();
    connections = [];
  });

  afterEach(async () => {
    for (const connection of connections) connection.disconnect();
    await redis.destroy();
  });

  const message = (): BusMessage => ({ type: 'pool', poolId: randomUUID() });

  async function received(seen: BusMessage[], wanted: BusMessage): Promise<void> {
    while (!seen.some((one) => JSON.stringify(one) === JSON.stringify(wanted))) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  it('carries messages between services, until the listener leaves', async () => {
    const [sender, receiver] = [newBus(), newBus()];
    const seen: BusMessage[] = [];
    const other: BusMessage[] = [];
    const leave = receiver.bus.subscribe((one) => seen.push(one));
    receiver.bus.subscribe((one) => other.push(one));
    await receiver.bus.ready();
    const first = message();
    await sender.bus.publish(first);
    await received(seen, first);
    leave();
    const second = message();
    await sender.bus.publish(second);
    await received(other, second);
    expect(seen).not.toContainEqual(second);
  });

  it('survives garbage on the channel and a listener that throws', async () => {
    const { bus, publisher } = newBus();
    const seen: BusMessage[] = [];
    bus.subscribe(() => {
      throw new Error('a broken listener');
    });
    bus.subscribe((one) => seen.push(one));
    await bus.ready();
    await publisher.publish('goldleaf:messages', '{not json');
    await publisher.publish('goldleaf:messages', '{"type":"unknown"}');
    const good = message();
    await bus.publish(good);
    await received(seen, good);
  });

  it('hears again after its connection was cut', async () => {
    const { bus } = newBus();
    const seen: BusMessage[] = [];
    bus.subscribe((one) => seen.push(one));
    await bus.ready();
    await redis.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    const wanted = message();
    const repeat = setInterval(() => void bus.publish(wanted), 50);
    await received(seen, wanted);
    clearInterval(repeat);
  });

  it('drops what it cannot send instead of failing its caller', async () => {
    const away = createRedis('redis://127.0.0.1:1/0', 'publisher', () => undefined);
    const subscriber = createRedis('redis://127.0.0.1:1/0', 'subscriber', () => undefined);
    connections.push(away, subscriber);
    await new MessageBus(away, subscriber, silentLogger()).publish(message());
  });
});
