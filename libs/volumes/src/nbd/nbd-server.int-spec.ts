import { execFile } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { until } from '#libs/testing';
import { clientFlags, encodeOption, encodeRequest } from './client-messages.js';
import { NbdTestServer, tool } from './nbd-test-server.js';
import { allocation, command, commandFlag, option, SIMPLE_REPLY_MAGIC } from './protocol.js';
import { RawClient } from './raw-client.js';
import { SparseVolume } from './sparse-volume.js';

const MiB = 1 << 20;

describe('NbdServer, judged by the tools of libnbd and QEMU', () => {
  const volume = new SparseVolume(24 * MiB, 1);
  let nbd: NbdTestServer;

  beforeEach(async () => {
    nbd = await NbdTestServer.start();
    nbd.exports.add('volume', volume, { description: 'random bytes and holes' });
  });
  afterEach(() => nbd.stop());

  it('tells what it is', async () => {
    const { exports } = JSON.parse(await tool('nbdinfo', '--json', nbd.uri('volume')));
    expect(exports).toEqual([
      expect.objectContaining({
        'export-name': 'volume',
        description: 'random bytes and holes',
        'export-size': volume.sizeBytes,
        contexts: ['base:allocation'],
        is_read_only: true,
        can_df: true,
        can_multi_conn: true,
        can_trim: false,
        can_zero: false,
        block_size_minimum: 1,
        block_size_preferred: 4096,
        block_size_maximum: 32 * MiB,
      }),
    ]);
  });

  it('serves several volumes at once, and says which', async () => {
    const other = new SparseVolume(3 * MiB + 777, 2);
    nbd.exports.add('other volume', other);
    const { exports } = JSON.parse(await tool('nbdinfo', '--json', '--list', nbd.uri('')));
    expect(exports.map((each: Record<string, unknown>) => [each['export-name'], each['export-size']])).toEqual([
      ['volume', volume.sizeBytes],
      ['other volume', other.sizeBytes],
    ]);
    const copies = ['volume', 'other volume'].map(async (name) => {
      await tool('nbdcopy', nbd.uri(encodeURIComponent(name)), join(nbd.folder, name));
      return readFile(join(nbd.folder, name));
    });
    const [first, second] = await Promise.all(copies);
    expect(first?.equals(volume.bytes)).toBe(true);
    expect(second?.equals(other.bytes)).toBe(true);
    await expect(tool('nbdinfo', nbd.uri('unknown'))).rejects.toThrow(/no such export|ENOENT|No such file/);
  });

  it.each([
    ['one connection', ['--connections=1']],
    ['four connections', ['--connections=4', '--threads=4', '--requests=64']],
    ['small reads', ['--request-size=4096', '--connections=2', '--threads=2']],
    ['large reads', ['--request-size=4194304', '--requests=16']],
    ['the largest reads', ['--request-size=33554432']],
  ])('gives nbdcopy the same bytes: %s', async (_, args) => {
    const copy = join(nbd.folder, 'copy');
    await tool('nbdcopy', ...args, nbd.uri('volume'), copy);
    expect((await readFile(copy)).equals(volume.bytes)).toBe(true);
  });

  it('gives QEMU the same bytes', async () => {
    const [original, copy] = [join(nbd.folder, 'original'), join(nbd.folder, 'copy.qcow2')];
    await writeFile(original, volume.bytes);
    await tool('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', '-m', '16', '-W', nbd.uri('volume'), copy);
    const said = 'Images are identical.\n';
    expect(await tool('qemu-img', 'compare', '-f', 'raw', '-F', 'qcow2', nbd.uri('volume'), copy)).toBe(said);
    expect(await tool('qemu-img', 'compare', '-f', 'raw', '-F', 'qcow2', original, copy)).toBe(said);
  });

  it('shows holes without reading them', async () => {
    const extents = volume.extents(0, volume.sizeBytes);
    volume.reads = 0;
    const map = JSON.parse(await tool('nbdinfo', '--map', '--json', nbd.uri('volume')));
    expect(map.map(({ offset, length, type }: Record<string, number>) => ({ offset, length, type }))).toEqual(
      extents.map(({ offset, length, isHole }) => ({
        offset,
        length,
        type: isHole ? allocation.hole | allocation.zero : 0,
      })),
    );
    const qemu = JSON.parse(await tool('qemu-img', 'map', '--output=json', nbd.uri('volume')));
    expect(qemu.map(({ start, length, zero }: Record<string, unknown>) => ({ start, length, zero }))).toEqual(
      extents.map(({ offset, length, isHole }) => ({ start: offset, length, zero: isHole })),
    );
    expect(volume.reads).toBe(0);
    volume.bytesRead = 0;
    await tool('nbdcopy', '--no-extents', nbd.uri('volume'), 'null:');
    const dataBytes = extents.reduce((sum, { isHole, length }) => sum + (isHole ? 0 : length), 0);
    expect(volume.bytesRead).toBe(dataBytes);
    const told = nbd.requests.filter(({ command }) => command === 'read').reduce((sum, r) => sum + r.dataBytes, 0);
    expect(told).toBe(dataBytes);
  });

  it('answers qemu-io at odd offsets and lengths, and many reads at once', async () => {
    const places = [
      [0, 512],
      [65_536 - 512, 1024],
      [1 * MiB + 333, 517],
      [7 * MiB - 1, 3],
      [volume.sizeBytes - 513, 513],
    ] as const;
    for (const [offset, length] of places) {
      const said = await tool('qemu-io', '-r', '-f', 'raw', '-c', `read -v ${offset} ${length}`, nbd.uri('volume'));
      const hex = [...said.matchAll(/^[0-9a-f]{8}: {2}((?:[0-9a-f]{2} )+)/gm)].map(([, line]) => line).join('');
      expect(Buffer.from(hex.replaceAll(' ', ''), 'hex').equals(volume.bytes.subarray(offset, offset + length))).toBe(
        true,
      );
    }
    const commands = Array.from({ length: 64 }, (_, n) => ['-c', `aio_read ${n * 300_001} 70001`]).flat();
    const said = await tool('qemu-io', '-r', '-f', 'raw', ...commands, '-c', 'aio_flush', nbd.uri('volume'));
    expect(said.match(/read 70001\/70001 bytes/g)).toHaveLength(64);
  });

  it('reads any range, in one piece where that is asked for', async () => {
    const client = await RawClient.open(nbd.socketPath, 'volume');
    const range = fc.tuple(fc.nat(volume.sizeBytes - 1), fc.nat(3 * MiB), fc.boolean());
    await fc.assert(
      fc.asyncProperty(range, async ([offset, wanted, whole]) => {
        const length = Math.min(wanted, volume.sizeBytes - offset);
        const bytes = await client.read(offset, length, whole ? commandFlag.dontFragment : 0);
        expect(bytes.equals(volume.bytes.subarray(offset, offset + length))).toBe(true);
      }),
      { numRuns: 60 },
    );
    client.close();
  });

  it('refuses writes, and whoever tries goes on reading', async () => {
    const client = await RawClient.open(nbd.socketPath, 'volume');
    client.socket.write(Buffer.concat([encodeRequest(command.write, 1, 0, 100_000), Buffer.alloc(100_000, 0xff)]));
    expect((await client.chunk()).payload.readUInt32BE(0)).toBe(1);
    for (const trimOrZero of [command.trim, command.writeZeroes]) {
      client.socket.write(encodeRequest(trimOrZero, 1, 0, 4096));
      expect((await client.chunk()).payload.readUInt32BE(0)).toBe(1);
    }
    client.socket.write(encodeRequest(99, 1, 0, 4096));
    expect((await client.chunk()).payload.readUInt32BE(0)).toBe(22);
    await expect(client.read(volume.sizeBytes - 10, 11)).rejects.toThrow('errno 22');
    await expect(client.read(2 ** 52, 4096)).rejects.toThrow('errno 22');
    expect((await client.read(70_000, 4096)).equals(volume.bytes.subarray(70_000, 74_096))).toBe(true);
    client.close();
    await expect(tool('qemu-io', '-f', 'raw', '-c', 'write 0 4k', nbd.uri('volume'))).rejects.toThrow();
  });

  it('serves a client of the old way: no GO, no structured replies', async () => {
    const client = await RawClient.connect(nbd.socketPath);
    client.socket.write(Buffer.concat([clientFlags, encodeOption(option.exportName, Buffer.from('volume'))]));
    const head = await client.take(10);
    expect(Number(head.readBigUInt64BE(0))).toBe(volume.sizeBytes);
    for (const [offset, length] of [
      [0, volume.sizeBytes],
      [65_000, 2_000],
    ] as const) {
      client.socket.write(encodeRequest(command.read, 9, offset, length));
      const reply = await client.take(16);
      expect(reply.readUInt32BE(0)).toBe(SIMPLE_REPLY_MAGIC);
      expect([reply.readUInt32BE(4), Number(reply.readBigUInt64BE(8))]).toEqual([0, 9]);
      expect((await client.take(length)).equals(volume.bytes.subarray(offset, offset + length))).toBe(true);
    }
    client.socket.write(encodeRequest(command.read, 9, volume.sizeBytes, 1));
    expect((await client.take(16)).readUInt32BE(4)).toBe(22);
    client.socket.write(encodeRequest(command.disconnect, 10, 0, 0));
    await until('the server closes', () => client.isClosed);
  });

  const asRoot = process.getuid?.() === 0 ? it : it.skip;
  asRoot("is open to the machines' account alone", async () => {
    const machines = { uid: 65_534, gid: 65_534 };
    const execFileAsync = promisify(execFile);
    const asMachines = (uri: string) => execFileAsync('nbdinfo', ['--size', uri], { ...machines, timeout: 10_000 });
    await tool('chmod', '711', nbd.folder);
    expect((await stat(nbd.socketPath)).mode & 0o777).toBe(0o600);
    await expect(asMachines(nbd.uri('volume'))).rejects.toThrow(/Permission denied/);

    const theirs = await NbdTestServer.start({ exports: nbd.exports, access: machines });
    await tool('chmod', '711', theirs.folder);
    expect(await stat(theirs.socketPath)).toMatchObject(machines);
    expect((await asMachines(theirs.uri('volume'))).stdout).toBe(`${volume.sizeBytes}\n`);
    await theirs.stop();
  });
});
