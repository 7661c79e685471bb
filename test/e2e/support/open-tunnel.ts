import { WebSocket } from 'ws';

export interface OpenTunnel {
  /** Settles when the other side has closed it, or is gone. */
  readonly closed: Promise<void>;
  close(): void;
}

/** Opens a tunnel as the portal does, and waits until the desktop has drawn. */
export async function openTunnel(gatewayUrl: string, ticket: string): Promise<OpenTunnel> {
  const url = `${gatewayUrl.replace(/^http/, 'ws')}/tunnel?ticket=${encodeURIComponent(ticket)}`;
  const socket = new WebSocket(url, 'guacamole');
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    let received = '';
    socket.on('message', (data) => {
      received = `${received}${String(data)}`.slice(-100_000);
      if (/;4\.sync,|^4\.sync,/.test(received)) resolve();
    });
    socket.once('error', reject);
    socket.once('close', (code) => reject(new Error(`the tunnel was closed: ${code}`)));
  });
  return { closed, close: () => socket.close() };
}
