import { createLogger } from '#libs/telemetry';
import { ensureGoldenImage } from './golden-image.js';
import { Terminal } from './terminal.js';

/**
 * Builds the demo image without starting anything, for `npm test`.
 * @returns what was done, or undefined when the image was there
 */
export async function buildDemoImage(stateDir: string): Promise<string | undefined> {
  const logger = createLogger({ service: 'set-up', level: 'warn' });
  const never = new AbortController().signal;
  const { reused, manifest } = await ensureGoldenImage({ stateDir, driver: 'qemu' }, logger, new Terminal(), never);
  return reused ? undefined : `${manifest.name} built`;
}
