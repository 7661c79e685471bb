import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '#libs/config';
import { freePort } from '#libs/embedded';
import { PortTakenError, requireListening } from './listen-check.js';

describe('requireListening', () => {
  it('tells a port that is taken from a host that is not ours', async () => {
    const port = await freePort();
    await requireListening(port, '127.0.0.1');
    await expect(requireListening(port, '192.0.2.1')).rejects.toThrow(ConfigError);
    await expect(requireListening(port, '192.0.2.1')).rejects.toThrow('GOLDLEAF_HOST: expected');

    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    await expect(requireListening(port, '127.0.0.1')).rejects.toThrow(PortTakenError);
    await new Promise((resolve) => other.close(resolve));
  });
});
