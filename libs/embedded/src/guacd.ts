import { connect } from 'node:net';
import type { EmbeddedServer, EmbeddedServerOptions } from './embedded-server.js';
import { freePort } from './free-port.js';
import { launch, prepareFolder } from './launch.js';

/**
 * Starts the system's guacd on loopback. It does not authenticate its clients, so it must never listen elsewhere.
 * `-L error`: at more verbose levels guacd 1.3 can hang when many sessions start at once.
 */
export async function startGuacd(options: EmbeddedServerOptions & { command?: string }): Promise<EmbeddedServer> {
  await prepareFolder(options);
  const port = await freePort(options.preferredPort);
  return await launch(
    {
      name: 'guacd',
      command: options.command ?? 'guacd',
      args: ['-f', '-b', '127.0.0.1', '-l', String(port), '-L', 'error'],
      port,
      url: `tcp://127.0.0.1:${port}`,
      stopSignal: 'SIGTERM',
      check: () => asksForArguments(port),
      readyTimeoutMs: 15_000,
    },
    options,
  );
}

/** The first half of a handshake: guacd must load its VNC part and ask for arguments. */
function asksForArguments(port: number, timeoutMs = 2_000): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    const finish = (error?: Error): void => {
      socket.destroy();
      if (error) reject(error);
      else resolve();
    };
    socket.setTimeout(timeoutMs, () => finish(new Error('guacd does not answer')));
    socket.once('error', finish);
    socket.once('close', () => finish(new Error('guacd closed the connection')));
    socket.once('connect', () => socket.write('6.select,3.vnc;'));
    let answer = '';
    socket.on('data', (data) => {
      answer += data.toString('latin1');
      if (answer.startsWith('4.args,')) finish();
    });
  });
}
