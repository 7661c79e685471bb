import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AppHost } from './app-host.js';
import type { ShelvedLayer } from './layer-shelf.js';
import type { TapedRead } from './read-tape.js';

/**
 * As many desktops as told start an application at once: for each a QEMU block client, on a socket of its own as a
 * machine has it, reads what a real desktop has read.
 */
export async function playAtOnce(
  host: AppHost,
  layer: ShelvedLayer,
  tape: readonly TapedRead[],
  count: number,
): Promise<void> {
  const { volumeId } = await host.attacher.verify(layer);
  await Promise.all(
    Array.from({ length: count }, async () => {
      const machineId = randomUUID();
      const volume = await host.exports.open(machineId, { id: layer.versionId, versionId: volumeId });
      await play(`nbd+unix:///${volume.exportName}?socket=${volume.socketPath}`, tape);
      await host.exports.release(machineId);
    }),
  );
}

async function play(uri: string, tape: readonly TapedRead[]): Promise<void> {
  const client = spawn('qemu-io', ['-r', '-f', 'raw', uri], { stdio: ['pipe', 'pipe', 'inherit'] });
  let said = '';
  client.stdout.on('data', (bytes: Buffer) => {
    said += bytes.toString('latin1');
  });
  client.stdin.end(`${tape.map(({ offset, length }) => `read -q ${offset} ${length}\n`).join('')}quit\n`);
  const [code] = await once(client, 'close');
  if (code !== 0 || /failed|error/i.test(said)) throw new Error(`a desktop could not read: ${said.slice(0, 300)}`);
}
