import { connect } from 'node:net';
import { Child } from './child.js';
import type { Payload } from './payloads.js';
import type { Subject } from './subject.js';

export interface Throughput {
  readonly megabytesPerSecond: number;
  readonly cpuSecondsPerGigabyte: number;
  readonly maxRssMiB: number;
}

/** Sends `bytes` of a payload through the subject to a browser that reads as fast as it can. */
export async function measureThroughput(subject: Subject, payload: Payload, bytes: number): Promise<Throughput> {
  const source = await Child.start('flood-source', [payload, bytes, subject === 'tcp-pipe' ? 'plain' : 'handshake']);
  const child = await Child.start('subject', [subject, source.report.port]);
  try {
    const before = await child.usage();
    const seconds = await receive(child.report.port, child.report.path, bytes);
    const after = await child.usage();
    return {
      megabytesPerSecond: bytes / 1e6 / seconds,
      cpuSecondsPerGigabyte: (after.cpuSeconds - before.cpuSeconds) / (bytes / 1e9),
      maxRssMiB: after.maxRssMiB,
    };
  } finally {
    child.stop();
    source.stop();
  }
}

/**
 * Reads to the end as a bare socket, so that the reader costs the same whatever is measured.
 * @returns seconds from the first byte of the stream to the last
 * @throws Error when less than `bytes` came
 */
function receive(port: number, path: string | undefined, bytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let received = 0;
    let firstAt = 0;
    let lastAt = 0;
    if (path !== undefined) socket.write(upgradeRequest(path));
    socket.on('data', (chunk) => {
      if (path !== undefined && firstAt === 0 && !chunk.includes('\r\n\r\n')) return;
      lastAt = performance.now();
      firstAt ||= lastAt;
      received += chunk.length;
    });
    socket.on('error', reject);
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      if (received < bytes) reject(new Error(`only ${received} of ${bytes} bytes came`));
      else resolve((lastAt - firstAt) / 1000);
    });
  });
}

const upgradeRequest = (path: string): string =>
  [
    `GET ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    'Sec-WebSocket-Protocol: guacamole',
    '\r\n',
  ].join('\r\n');
