import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { expect, it } from '@jest/globals';
import { verifyImage } from '#libs/images';
import { createLogger } from '#libs/telemetry';
import { ensureGoldenImage } from './golden-image.js';
import { Terminal } from './terminal.js';

it('builds nothing for the fake driver, and gives it an image that passes for whole', async () => {
  const stateDir = await mkdtemp(join(tmpdir(), 'goldleaf-placeholder-'));
  try {
    const logger = createLogger({ service: 'test', level: 'silent' });
    const terminal = new Terminal(new Writable({ write: (_, __, done) => done() }) as NodeJS.WriteStream);
    const signal = AbortSignal.timeout(5_000);
    const image = await ensureGoldenImage({ stateDir, driver: 'fake' }, logger, terminal, signal);
    expect(image.manifest.name).toBe('call-center');
    expect(image.dir).toBe(join(stateDir, 'images/call-center/placeholder'));
    await expect(verifyImage(image.dir, { full: true })).resolves.toEqual({ dir: image.dir, manifest: image.manifest });
    expect((await ensureGoldenImage({ stateDir, driver: 'fake' }, logger, terminal, signal)).dir).toBe(image.dir);
  } finally {
    await rm(stateDir, { recursive: true, force: true });
  }
});
