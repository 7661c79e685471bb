import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { requireNbdServer } from './nbd-probe.js';

describe('requireNbdServer', () => {
  let dir: string;
  let server: Server | undefined;
  const path = () => join(dir, 'nbd.sock');
  const unavailable = { name: 'MachineError', code: 'volume-unavailable' };

  async function serve(greet: (socket: Socket) => void): Promise<void> {
    const listening = createServer((socket) => {
      socket.on('error', () => undefined);
      greet(socket);
    });
    server = listening;
    await new Promise<void>((resolve) => listening.listen(path(), resolve));
  }

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'goldleaf-nbd-probe-'));
  });
  afterEach(async () => {
    server?.close();
    server = undefined;
    await rm(dir, { recursive: true });
  });

  it('is content with a greeting, in whatever pieces it arrives', async () => {
    await serve((socket) => {
      socket.write('NBDMAG');
      setImmediate(() => socket.write('ICIHAVEOPT\0\u0003'));
    });
    await requireNbdServer(path(), 5_000);
  });

  it('says so of no socket, another protocol, a closed connection, and silence', async () => {
    await expect(requireNbdServer(path(), 1_000)).rejects.toMatchObject(unavailable);
    let greet: (socket: Socket) => void = (socket) => socket.write('220 mail.example ESMTP ready\r\n');
    await serve((socket) => greet(socket));
    await expect(requireNbdServer(path(), 5_000)).rejects.toMatchObject(unavailable);
    greet = (socket) => socket.destroy();
    await expect(requireNbdServer(path(), 5_000)).rejects.toMatchObject(unavailable);
    greet = () => undefined;
    await expect(requireNbdServer(path(), 50)).rejects.toMatchObject(unavailable);
  });

  it('ends with the reason of the signal', async () => {
    await serve(() => undefined);
    const abort = new AbortController();
    const waits = requireNbdServer(path(), 60_000, abort.signal);
    setImmediate(() => abort.abort(new Error('the caller gave up')));
    await expect(waits).rejects.toThrow('the caller gave up');
  });
});
