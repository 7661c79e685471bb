import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

const failureSchema = z.object({ error: z.object({ message: z.string() }) });

/** What the tools of a build need of our environment, which holds secrets. */
const passedOn = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'http_proxy', 'https_proxy', 'no_proxy', 'GOLDLEAF_STATE_DIR'];

export interface DemoLayerBuild {
  readonly recipeDir: string;
  readonly imageDir: string;
  /** Holds layer.json when it is done. */
  readonly outDir: string;
  readonly stateDir: string;
  readonly signal: AbortSignal;
}

/** A layer could not be built, for a reason that a person can read. */
export class DemoLayerError extends Error {}

/**
 * Builds a layer by the `goldleaf` command, in a process that runs when nothing else wants the processor, and that ends
 * when this one does.
 * @throws DemoLayerError; the signal's reason
 */
export async function buildDemoLayer(build: DemoLayerBuild): Promise<void> {
  const { recipeDir, imageDir, outDir, stateDir, signal } = build;
  signal.throwIfAborted();
  const program = resolve(import.meta.dirname, '../../cli/src/goldleaf.js');
  const env = { ...process.env, GOLDLEAF_STATE_DIR: stateDir };
  const child = spawn(
    'nice',
    [
      ...['-n', '19', 'setpriv', '--pdeathsig', 'TERM', process.execPath, program],
      ...['app', 'build', recipeDir, '--image-dir', imageDir, '--output', outDir, '--no-publish', '--json'],
    ],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: Object.fromEntries(Object.entries(env).filter(([name]) => passedOn.includes(name))),
      // Ctrl-C is ours to pass on: the child must hear of it once.
      detached: true,
    },
  );
  const onAbort = (): boolean => child.kill('SIGTERM');
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const [[exitCode], output] = await Promise.all([once(child, 'close'), text(child.stdout)]);
    signal.throwIfAborted();
    if (exitCode !== 0) throw new DemoLayerError(reasonIn(output));
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function reasonIn(output: string): string {
  try {
    return failureSchema.parse(JSON.parse(output)).error.message;
  } catch {
    return 'the build ended without saying why';
  }
}
