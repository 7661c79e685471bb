import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ByteQueue } from './byte-queue.js';
import { NbdClient } from './nbd-client.js';
import { encodeOptionReply, infoPayload, numberAndText, sizeAndFlags } from './option-reply.js';
import {
  chunkType,
  INIT_PASSWORD,
  info,
  OPTION_MAGIC,
  option,
  optionReply,
  STRUCTURED_REPLY_MAGIC,
} from './protocol.js';

const SIZE = 1 << 20;
const CONTEXT = 'qemu:dirty-bitmap:changes';

/** One chunk of a structured reply. @param saysBytes what its head says of its length, when that is a lie */
function chunk(
  cookie: bigint,
  type: number,
  payload: Buffer,
  { isDone = true, saysBytes = payload.length } = {},
): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt32BE(STRUCTURED_REPLY_MAGIC, 0);
  head.writeUInt16BE(isDone ? 1 : 0, 4);
  head.writeUInt16BE(type, 6);
  head.writeBigUInt64BE(cookie, 8);
  head.writeUInt32BE(saysBytes, 16);
  return Buffer.concat([head, payload]);
}

const data = (offset: number, bytes: Buffer): Buffer => {
  const head = Buffer.alloc(8);
  head.writeBigInt64BE(BigInt(offset));
  return Buffer.concat([head, bytes]);
};

const hole = (offset: number, length: number): Buffer => {
  const bytes = Buffer.alloc(12);
  bytes.writeBigUInt64BE(BigInt(offset), 0);
  bytes.writeUInt32BE(length, 8);
  return bytes;
};

const status = (id: number, ...numbers: number[]): Buffer => {
  const bytes = Buffer.alloc(4 + 4 * numbers.length);
  bytes.writeUInt32BE(id, 0);
  for (const [n, number] of numbers.entries()) bytes.writeUInt32BE(number, 4 + 4 * n);
  return bytes;
};

type Answer = (cookie: bigint) => readonly Buffer[];

describe('NbdClient at a server that is wrong', () => {
  let folder: string;
  let server: Server;
  const sockets = new Set<Socket>();
  /** To the options, by their numbers; those that are not here are answered as they should be. */
  let answers: Map<number, readonly Buffer[]>;
  let hello: Buffer;
  /** To each request. */
  let answer: Answer;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'goldleaf-liar-'));
    hello = Buffer.alloc(18);
    hello.writeBigUInt64BE(INIT_PASSWORD, 0);
    hello.writeBigUInt64BE(OPTION_MAGIC, 8);
    hello.writeUInt16BE(3, 16);
    const ack = (type: number) => encodeOptionReply(type, optionReply.ack);
    const exportInfo = infoPayload(info.export, sizeAndFlags(SIZE, true));
    answers = new Map([
      [option.structuredReply, [ack(option.structuredReply)]],
      [
        option.setMetaContext,
        [
          encodeOptionReply(option.setMetaContext, optionReply.metaContext, numberAndText(5, CONTEXT)),
          ack(option.setMetaContext),
        ],
      ],
      [option.go, [encodeOptionReply(option.go, optionReply.info, exportInfo), ack(option.go)]],
    ]);
    server = createServer(serve).listen(join(folder, 's'));
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });

  function serve(socket: Socket): void {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    const input = new ByteQueue();
    let isOpen = false;
    let hasFlags = false;
    socket.write(hello);
    socket.on('data', (bytes: Buffer) => {
      input.push(bytes);
      if (!hasFlags) hasFlags = input.take(4) !== undefined;
      while (hasFlags) {
        if (isOpen) {
          const request = input.take(28);
          if (!request) return;
          for (const part of answer(request.readBigUInt64BE(8))) socket.write(part);
          continue;
        }
        const head = input.peek(16);
        const whole = head && input.take(16 + head.readUInt32BE(12));
        if (!whole) return;
        const type = whole.readUInt32BE(8);
        for (const part of answers.get(type) ?? []) socket.write(part);
        isOpen = type === option.go;
      }
    });
  }

  const connect = (deadlineMs?: number) =>
    NbdClient.connect(join(folder, 's'), 'x', { metaContexts: [CONTEXT], deadlineMs });
  const wrong = { name: 'NbdClientError', code: 'protocol' };

  it.each<[string, Answer]>([
    ['to nobody', (cookie) => [chunk(cookie + 1n, chunkType.none, Buffer.alloc(0))]],
    ['without its magic', () => [Buffer.alloc(20)]],
    ['that has no bytes', (cookie) => [chunk(cookie, chunkType.none, Buffer.alloc(0))]],
    ['that lacks some', (cookie) => [chunk(cookie, chunkType.offsetData, data(4096, Buffer.alloc(4095)))]],
    ['that is longer than asked', (cookie) => [chunk(cookie, chunkType.offsetData, data(4096, Buffer.alloc(4097)))]],
    ['of 4 GiB', (cookie) => [chunk(cookie, chunkType.offsetData, Buffer.alloc(9), { saysBytes: 0xffff_ffff })]],
    ['before the range', (cookie) => [chunk(cookie, chunkType.offsetData, data(4095, Buffer.alloc(4096)))]],
    ['behind the range', (cookie) => [chunk(cookie, chunkType.offsetData, data(4097, Buffer.alloc(4096)))]],
    ['with a negative offset', (cookie) => [chunk(cookie, chunkType.offsetData, data(-1, Buffer.alloc(4096)))]],
    ['of nothing', (cookie) => [chunk(cookie, chunkType.offsetData, data(4096, Buffer.alloc(0)))]],
    ['without an offset', (cookie) => [chunk(cookie, chunkType.offsetData, Buffer.alloc(7))]],
    ['with a hole that is too long', (cookie) => [chunk(cookie, chunkType.offsetHole, hole(4096, 4097))]],
    ['with a hole that is no hole', (cookie) => [chunk(cookie, chunkType.offsetHole, Buffer.alloc(9))]],
    [
      'with bytes twice',
      (cookie) => [
        chunk(cookie, chunkType.offsetData, data(4096, Buffer.alloc(4096)), { isDone: false }),
        chunk(cookie, chunkType.offsetHole, hole(8000, 100)),
      ],
    ],
    [
      'with bytes twice and others not',
      (cookie) => [
        chunk(cookie, chunkType.offsetHole, hole(4096, 2048), { isDone: false }),
        chunk(cookie, chunkType.offsetHole, hole(4096, 2048)),
      ],
    ],
    [
      'with a gap',
      (cookie) => [
        chunk(cookie, chunkType.offsetHole, hole(4096, 1000), { isDone: false }),
        chunk(cookie, chunkType.offsetData, data(7192, Buffer.alloc(1000))),
      ],
    ],
    [
      'with an overlap',
      (cookie) => [
        chunk(cookie, chunkType.offsetHole, hole(4096, 3000), { isDone: false }),
        chunk(cookie, chunkType.offsetData, data(6192, Buffer.alloc(2000))),
      ],
    ],
    ['of another kind', (cookie) => [chunk(cookie, chunkType.blockStatus, status(5, 4096, 0))]],
    ['of no known kind', (cookie) => [chunk(cookie, 77, Buffer.alloc(8))]],
    ['of an error without a number', (cookie) => [chunk(cookie, chunkType.error, Buffer.alloc(3))]],
    ['of an endless error', (cookie) => [chunk(cookie, chunkType.error, Buffer.alloc(9), { saysBytes: 1 << 30 })]],
  ])('refuses an answer %s to a read, and all that is asked with it', async (_, given) => {
    let isFirst = true;
    answer = (cookie) => {
      if (!isFirst) return [];
      isFirst = false;
      return given(cookie);
    };
    const client = await connect();
    const [first, second] = await Promise.allSettled([client.read(4096, 4096), client.read(0, 1)]);
    expect(first).toMatchObject({ status: 'rejected', reason: wrong });
    expect(second).toMatchObject({ status: 'rejected', reason: wrong });
    await expect(client.read(0, 1)).rejects.toMatchObject({ code: 'closed' });
    await client.close();
  });

  it('puts together what comes in pieces, in any order', async () => {
    answer = (cookie) => [
      chunk(cookie, chunkType.offsetHole, hole(5096, 1000), { isDone: false }),
      chunk(cookie, chunkType.offsetData, data(6096, Buffer.alloc(2096, 2)), { isDone: false }),
      chunk(cookie, chunkType.offsetData, data(4096, Buffer.alloc(1000, 1)), { isDone: false }),
      chunk(cookie, chunkType.none, Buffer.alloc(0)),
    ];
    const client = await connect();
    const whole = Buffer.concat([Buffer.alloc(1000, 1), Buffer.alloc(1000), Buffer.alloc(2096, 2)]);
    expect((await client.read(4096, 4096)).equals(whole)).toBe(true);
    await client.close();
  });

  it.each<[string, Buffer]>([
    ['of another context only', status(6, SIZE, 0)],
    ['of nothing', status(5)],
    ['with half an extent', status(5, SIZE)],
    ['with an empty extent', status(5, 0, 1, SIZE, 1)],
    ['that goes on beyond the range', status(5, SIZE, 1, 512, 1)],
  ])('refuses a status %s', async (_, payload) => {
    answer = (cookie) => [chunk(cookie, chunkType.blockStatus, payload)];
    const client = await connect();
    await expect(client.changedExtents('changes')).rejects.toMatchObject(wrong);
    await client.close();
  });

  it('goes on asking for a status that is told in parts, and cuts off what is beyond', async () => {
    const parts = [status(5, 65_536, 1), status(5, 65_536, 1, 65_536, 0), status(5, 2 ** 31, 1)];
    answer = (cookie) => [chunk(cookie, chunkType.blockStatus, parts.shift() ?? status(5))];
    const client = await connect();
    expect(await client.changedExtents('changes')).toEqual([
      { offset: 0, length: 131_072, isHole: false },
      { offset: 196_608, length: SIZE - 196_608, isHole: false },
    ]);
    await client.close();
  });

  it.each<[string, () => void]>([
    ['says something else', () => void hello.fill(0)],
    ['is of the old style', () => void hello.writeUInt16BE(0, 16)],
    ['answers another question', () => void answers.set(option.go, [encodeOptionReply(99, optionReply.ack)])],
    ['tells no size', () => void answers.set(option.go, [encodeOptionReply(option.go, optionReply.ack)])],
    [
      'tells an impossible size',
      () => {
        const payload = infoPayload(info.export, Buffer.alloc(10, 0xff));
        const told = encodeOptionReply(option.go, optionReply.info, payload);
        answers.set(option.go, [told, encodeOptionReply(option.go, optionReply.ack)]);
      },
    ],
    [
      'does not stop telling',
      () => {
        const told = encodeOptionReply(option.go, optionReply.info, infoPayload(info.name, Buffer.alloc(9)));
        answers.set(
          option.go,
          Array.from({ length: 100 }, () => told),
        );
      },
    ],
    [
      'tells too much at once',
      () => void answers.set(option.go, [encodeOptionReply(option.go, optionReply.info, Buffer.alloc(1 << 17))]),
    ],
  ])('does not connect to one that %s', async (_, change) => {
    change();
    await expect(connect()).rejects.toMatchObject(wrong);
  });

  it('does not connect to one without structured replies', async () => {
    answers.set(option.structuredReply, [encodeOptionReply(option.structuredReply, optionReply.unsupported)]);
    await expect(connect()).rejects.toMatchObject({ code: 'refused' });
  });

  it('gives up one that is silent, and when it is told to', async () => {
    answer = () => [];
    const client = await connect(50);
    await expect(client.read(0, 1)).rejects.toMatchObject({ code: 'timeout' });
    await expect(client.read(0, 1)).rejects.toMatchObject({ code: 'closed' });
    const patient = await connect();
    const abort = new AbortController();
    const reading = patient.read(0, 4, abort.signal);
    abort.abort(new Error('the caller gave up'));
    await expect(reading).rejects.toThrow('the caller gave up');
    // The other requests of the connection go on.
    answer = (cookie) => (cookie === 1n ? [] : [chunk(cookie, chunkType.offsetData, data(8, Buffer.from('four')))]);
    expect((await patient.read(8, 4)).toString()).toBe('four');
    const closing = patient.read(0, 0);
    await patient.close();
    await closing;

    answers.set(option.go, []);
    await expect(connect(50)).rejects.toMatchObject({ code: 'timeout' });
    const stop = new AbortController();
    const connecting = NbdClient.connect(join(folder, 's'), 'x', { signal: stop.signal });
    stop.abort(new Error('the caller gave up'));
    await expect(connecting).rejects.toThrow('the caller gave up');
  });
});
