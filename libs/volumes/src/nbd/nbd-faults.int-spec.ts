import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { until } from '#libs/testing';
import { clientFlags, encodeOption, encodeRequest, goPayload, metaPayload } from './client-messages.js';
import { sweepDeadSockets } from './listening-socket.js';
import type { NbdServerOptions } from './nbd-options.js';
import { NbdTestServer, tool } from './nbd-test-server.js';
import { command, option } from './protocol.js';
import { RawClient } from './raw-client.js';
import { SparseVolume } from './sparse-volume.js';

const MiB = 1 << 20;

/** A store that does not answer; gives up when told to, if `heeds`. */
const never =
  (heeds: boolean) =>
  (_offset: number, _length: number, signal?: AbortSignal): Promise<void> =>
    new Promise((_, reject) => {
      if (heeds) signal?.addEventListener('abort', () => reject(signal.reason));
    });

describe('NbdServer, when things go wrong', () => {
  let nbd: NbdTestServer;
  let volume: SparseVolume;
  const children: ChildProcess[] = [];

  async function start(options: Partial<NbdServerOptions> = {}): Promise<void> {
    nbd = await NbdTestServer.start(options);
    volume = new SparseVolume(24 * MiB, 1);
    nbd.exports.add('volume', volume);
  }
  const run = (program: string, ...args: string[]): ChildProcess => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    children.push(child);
    return child;
  };
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await nbd.stop();
  });
  const sizeOf = async (): Promise<string> => (await tool('nbdinfo', '--size', nbd.uri('volume'))).trim();

  it('forgets a client that is killed in the middle of its reads', async () => {
    await start();
    volume.before = never(true);
    const client = run('nbdcopy', '--connections=4', '--threads=4', nbd.uri('volume'), 'null:');
    await until('all connections read', () => nbd.server.connectionCount === 4 && volume.readsUnderWay > 20);
    client.kill('SIGKILL');
    await until('it is forgotten', () => nbd.server.connectionCount === 0 && volume.readsUnderWay === 0);
    // How many requests these reads were is the client's affair.
    const outcomes = nbd.requests.filter(({ command }) => command === 'read').map(({ outcome }) => outcome);
    expect([...new Set(outcomes)]).toEqual(['cancelled']);
    volume.before = () => undefined;
    expect(await sizeOf()).toBe(String(volume.sizeBytes));
  });

  it('reads no more for a client that takes nothing, serves the others, and gives it up', async () => {
    await start({ limits: { inFlightBytes: 2 * MiB, stallTimeoutMs: 500 } });
    const idleUntilMs = performance.now() + 1_100;
    const stalled = await RawClient.open(nbd.socketPath, 'volume');
    stalled.socket.pause();
    // It was idle for longer than it may stall.
    await until('it has been idle', () => performance.now() > idleUntilMs);
    const asked = Buffer.concat(Array.from({ length: 20_000 }, (_, n) => encodeRequest(command.read, n, 65_536, MiB)));
    stalled.socket.write(asked);
    const other = await RawClient.open(nbd.socketPath, 'volume');
    expect((await other.read(0, MiB)).equals(volume.bytes.subarray(0, MiB))).toBe(true);
    other.close();
    // What was in flight, what the kernel took, and the other's.
    expect(volume.bytesRead).toBeLessThan(5 * MiB);
    expect(stalled.socket.writableLength).toBeGreaterThan(0);
    await until('it is given up', () => nbd.server.connectionCount === 0);
    expect(volume.bytesRead).toBeLessThan(5 * MiB);
  });

  it('answers no more of what needs no reading to a client that takes nothing', async () => {
    await start({ limits: { inFlightBytes: 64 << 10 } });
    const client = await RawClient.open(nbd.socketPath, 'volume');
    client.socket.pause();
    const asked = 200_000;
    client.socket.write(
      Buffer.concat(Array.from({ length: asked }, (_, n) => encodeRequest(command.trim, n, 0, 4096))),
    );
    await until('some are answered', () => nbd.requests.length > 0);
    expect(await sizeOf()).toBe(String(volume.sizeBytes));
    expect(nbd.requests.length).toBeLessThan(asked / 10);
    client.socket.resume();
    await until('all are answered', () => nbd.requests.length === asked);
    client.close();
  });

  it('tells a client after the deadline that the store does not answer; the next read works', async () => {
    await start({ limits: { readTimeoutMs: 250 } });
    let isAbsent = true;
    volume.before = (offset) => (isAbsent && offset < MiB ? never(false)(0, 0) : undefined);
    const qemu = run('qemu-io', '-r', '-f', 'raw', nbd.uri('volume'));
    let said = '';
    qemu.stdout?.on('data', (data: Buffer) => {
      said += data.toString();
    });
    qemu.stdin?.write('read 65536 4k\n');
    await until('it fails', () => /read failed: Input\/output error/.test(said));
    qemu.stdin?.write('read 4194304 4k\n');
    await until('another place is read', () => /read 4096\/4096 bytes at offset 4194304/.test(said));
    isAbsent = false;
    qemu.stdin?.write('read 65536 4k\n');
    await until('the same place is read', () => /read 4096\/4096 bytes at offset 65536/.test(said));
    const read = nbd.requests.find(({ outcome }) => outcome === 'EIO');
    expect(read?.durationMs).toBeGreaterThanOrEqual(245);
    expect(read?.durationMs).toBeLessThan(5_000);
  });

  it('gives the error of a part of a large read, with its place, and stops reading the rest', async () => {
    await start({ limits: { inFlightBytes: 2 * MiB } });
    volume.before = async (offset) => {
      if (offset > 4 * MiB && offset < 5 * MiB) throw new Error('chunk-damaged: 0123');
    };
    const client = await RawClient.open(nbd.socketPath, 'volume');
    await expect(client.read(0, 20 * MiB)).rejects.toThrow('errno 5: chunk-damaged: 0123');
    expect(volume.bytesRead).toBeLessThan(10 * MiB);
    expect((await client.read(6 * MiB, MiB)).equals(volume.bytes.subarray(6 * MiB, 7 * MiB))).toBe(true);
    volume.before = () => undefined;
    // Bytes too few would shift all that follows.
    volume.read = async (_, length) => Buffer.alloc(length - 1);
    await expect(client.read(70_000, 4096)).rejects.toThrow('errno 5: the store gave 4095 of 4096 bytes');
    client.close();
  });

  it('does not ask a store for ever that never ends a read', async () => {
    await start({ limits: { readTimeoutMs: 20, unendedReads: 10 } });
    volume.before = never(false);
    const client = await RawClient.open(nbd.socketPath, 'volume');
    for (let n = 0; n < 11; n++) await expect(client.read(65_536, 512)).rejects.toThrow('no answer from the store');
    await expect(client.read(65_536, 512)).rejects.toThrow('the store has stopped answering');
    expect(volume.readsUnderWay).toBe(11);
    client.close();
  });

  it('closes on garbage and on lengths that nobody may ask for, and nothing else happens', async () => {
    await start({ limits: { handshakeTimeoutMs: 60_000 } });
    const valid = Buffer.concat([
      clientFlags,
      encodeOption(option.structuredReply),
      encodeOption(option.list),
      encodeOption(option.setMetaContext, metaPayload('volume', 'base:allocation')),
      encodeOption(option.info, goPayload('volume', 1, 2, 3)),
      encodeOption(option.go, goPayload('volume', 3)),
      encodeRequest(command.read, 1, 0, 100_000),
      encodeRequest(command.blockStatus, 2, 0, MiB),
      encodeRequest(command.write, 3, 0, 1000),
      Buffer.alloc(1000),
      encodeRequest(command.disconnect, 4, 0, 0),
    ]);
    const damaged = fc
      .array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      .map((changes) => {
        const bytes = Buffer.from(valid);
        for (const [at, value] of changes) bytes[at] = value;
        return bytes;
      });
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.concat([clientFlags, bytes])),
      fc.nat(valid.length).map((length) => valid.subarray(0, length)),
      damaged,
      damaged,
    );
    await fc.assert(
      fc.asyncProperty(garbage, async (bytes) => {
        const socket = createConnection(nbd.socketPath);
        socket.on('error', () => undefined);
        socket.resume();
        const closed = new Promise((resolve) => socket.once('close', resolve));
        socket.end(bytes);
        await closed;
      }),
      { numRuns: 300 },
    );
    await until('all are gone', () => nbd.server.connectionCount === 0 && volume.readsUnderWay === 0);

    for (const tooMuch of [
      Buffer.concat([clientFlags, encodeOption(option.go, Buffer.alloc(70_000))]),
      Buffer.concat([valid.subarray(0, -28), encodeRequest(command.write, 1, 0, 2 ** 32 - 1)]),
      Buffer.concat([clientFlags, ...Array.from({ length: 300 }, () => encodeOption(option.list))]),
      Buffer.concat([valid.subarray(0, -28), Buffer.alloc(28, 0x55)]),
    ]) {
      const client = await RawClient.connect(nbd.socketPath);
      client.socket.write(tooMuch);
      await until('it is closed', () => client.isClosed);
    }
    expect(await sizeOf()).toBe(String(volume.sizeBytes));
  });

  it('gives up a client that opens nothing', async () => {
    await start({ limits: { handshakeTimeoutMs: 100 } });
    const client = await RawClient.connect(nbd.socketPath);
    client.socket.write(clientFlags);
    await until('it is closed', () => client.isClosed);
    expect(nbd.server.connectionCount).toBe(0);
  });

  it('removes an export when its reads under way are answered', async () => {
    await start();
    const other = new SparseVolume(MiB, 4);
    nbd.exports.add('other', other);
    const [client, neighbour] = [
      await RawClient.open(nbd.socketPath, 'volume'),
      await RawClient.open(nbd.socketPath, 'other'),
    ];
    let release: () => void = () => undefined;
    volume.before = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const reading = client.read(65_536, 65_536);
    await until('it is read', () => volume.readsUnderWay === 1);
    let isRemoved = false;
    const removed = nbd.exports.remove('volume').then(() => {
      isRemoved = true;
    });
    await expect(RawClient.open(nbd.socketPath, 'volume')).rejects.toThrow('refused');
    expect(isRemoved).toBe(false);
    release();
    expect((await reading).equals(volume.bytes.subarray(65_536, 131_072))).toBe(true);
    await removed;
    await until('its client is gone', () => client.isClosed);
    expect((await neighbour.read(0, MiB)).equals(other.bytes)).toBe(true);
    neighbour.close();
  });

  it('removes an export whose store never answers, all the same', async () => {
    await start({ limits: { drainTimeoutMs: 100 } });
    volume.before = never(true);
    const client = await RawClient.open(nbd.socketPath, 'volume');
    const reading = client.read(65_536, 65_536);
    await until('it is read', () => volume.readsUnderWay === 1);
    await Promise.all([expect(reading).rejects.toThrow('closed'), nbd.exports.remove('volume')]);
    expect(volume.readsUnderWay).toBe(0);
  });

  it("goes on for QEMU after the server has stopped and started again, by its 'reconnect-delay'", async () => {
    await start({ limits: { drainTimeoutMs: 100 } });
    const node = `driver=nbd,node-name=disk,read-only=on,export=volume,reconnect-delay=20,server.type=unix,server.path=${nbd.socketPath}`;
    const args = ['-machine', 'none', '-nodefaults', '-display', 'none', '-monitor', 'stdio', '-blockdev', node];
    const qemu = run('qemu-system-x86_64', ...args);
    let said = '';
    qemu.stdout?.on('data', (data: Buffer) => {
      said += data.toString();
    });
    const read = (offset: number): boolean => qemu.stdin?.write(`qemu-io disk "read ${offset} 4096"\n`) ?? false;
    read(65_536);
    await until('QEMU reads', () => said.includes('read 4096/4096 bytes at offset 65536'));
    expect(nbd.server.connectionCount).toBe(1);

    // It is asked, does not answer, and is stopped: QEMU must ask the new one the same.
    volume.before = never(true);
    read(131_072);
    await until('it is asked', () => volume.readsUnderWay === 1);
    const stopped = nbd.server.close();
    volume.before = () => undefined;
    await stopped;
    expect(await readdir(nbd.folder)).toEqual([]);
    await nbd.startAgain();
    await until('QEMU goes on', () => said.includes('read 4096/4096 bytes at offset 131072'));
    expect(said).not.toMatch(/failed/);
  });

  it('takes the place of a dead server and not of a living one; sweeps what dead ones left', async () => {
    await start();
    await expect(nbd.startAgain()).rejects.toThrow('another server listens');
    const dead = join(nbd.folder, 'dead.sock');
    const leaveDeadSocket = async (): Promise<void> => {
      const script = `require('net').createServer().listen(${JSON.stringify(dead)}, () => console.log('up'))`;
      const child = run(process.execPath, '-e', script);
      await new Promise((resolve) => child.stdout?.once('data', resolve));
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    };
    await leaveDeadSocket();
    await mkdir(join(nbd.folder, '.nbd-making-x'));
    expect((await readdir(nbd.folder)).sort()).toEqual(['.nbd-making-x', 'dead.sock', 's.sock']);
    const successor = await NbdTestServer.start({ socketPath: dead, exports: nbd.exports });
    expect((await tool('nbdinfo', '--size', `nbd+unix:///volume?socket=${dead}`)).trim()).toBe(
      String(volume.sizeBytes),
    );
    await successor.stop();
    await leaveDeadSocket();
    expect((await sweepDeadSockets(nbd.folder)).sort()).toEqual(['.nbd-making-x', 'dead.sock']);
    expect(await readdir(nbd.folder)).toEqual(['s.sock']);
    expect(await sizeOf()).toBe(String(volume.sizeBytes));
  });
});
