import { createConnection, type Socket } from 'node:net';
import { ByteQueue } from './byte-queue.js';
import { clientFlags, encodeOption, encodeRequest, goPayload } from './client-messages.js';
import { chunkType, command, option, optionReply } from './protocol.js';

export interface RawChunk {
  readonly cookie: number;
  readonly type: number;
  readonly isLast: boolean;
  readonly payload: Buffer;
}

/** For tests: a client that does what it is told, right or wrong, with structured replies. */
export class RawClient {
  isClosed = false;
  private readonly input = new ByteQueue();
  private wake: () => void = () => undefined;

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.input.push(chunk);
      this.wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isClosed = true;
      this.wake();
    });
  }

  static async connect(path: string): Promise<RawClient> {
    const client = new RawClient(createConnection(path));
    await client.take(18);
    return client;
  }

  /** Connected, and the export opened. @throws when the export is refused */
  static async open(path: string, name: string): Promise<RawClient> {
    const client = await RawClient.connect(path);
    client.socket.write(
      Buffer.concat([clientFlags, encodeOption(option.structuredReply), encodeOption(option.go, goPayload(name))]),
    );
    await client.optionReply();
    let reply = await client.optionReply();
    while (reply.type === optionReply.info) reply = await client.optionReply();
    if (reply.type !== optionReply.ack) throw new Error(`refused: ${reply.type}`);
    return client;
  }

  async optionReply(): Promise<{ type: number; payload: Buffer }> {
    const head = await this.take(20);
    return { type: head.readUInt32BE(12), payload: await this.take(head.readUInt32BE(16)) };
  }

  async chunk(): Promise<RawChunk> {
    const head = await this.take(20);
    return {
      cookie: Number(head.readBigUInt64BE(8)),
      type: head.readUInt16BE(6),
      isLast: (head.readUInt16BE(4) & 1) === 1,
      payload: await this.take(head.readUInt32BE(16)),
    };
  }

  /** One read, alone. @throws the server's error number */
  async read(offset: number, length: number, flags = 0): Promise<Buffer> {
    this.socket.write(encodeRequest(command.read, 7, offset, length, flags));
    const bytes = Buffer.alloc(length, 0xee);
    for (;;) {
      const { type, isLast, payload } = await this.chunk();
      if (type === chunkType.error || type === chunkType.errorOffset) {
        throw new Error(`errno ${payload.readUInt32BE(0)}: ${payload.subarray(6, 6 + payload.readUInt16BE(4))}`);
      }
      if (type !== chunkType.none) {
        const at = Number(payload.readBigUInt64BE(0)) - offset;
        if (type === chunkType.offsetData) payload.copy(bytes, at, 8);
        else bytes.fill(0, at, at + payload.readUInt32BE(8));
      }
      if (isLast) return bytes;
    }
  }

  close(): void {
    this.socket.destroy();
  }

  /** The next bytes, whatever they are. */
  async take(bytes: number): Promise<Buffer> {
    for (;;) {
      const taken = this.input.take(bytes);
      if (taken) return taken;
      if (this.isClosed) throw new Error('the server has closed the connection');
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}
