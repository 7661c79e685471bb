/** `npm start`: sets up what is missing, then runs the whole system in this process. */
import { createServer } from 'node:net';
import { takeLock } from './lock.mjs';
import { root } from './places.mjs';
import { runToEnd, SetUpError } from './progress.mjs';
import { setUp } from './set-up.mjs';

await runToEnd(async () => {
  console.log('\n  Goldleaf\n');
  process.env.GOLDLEAF_STATE_DIR = await setUp({ onStateFolder: mayRun });
  await import(`${root}/dist/services/standalone/src/main.js`);
});

/** Refuses at once, before anything is built or installed, what could not run in the end. @param {string} stateDir */
async function mayRun(stateDir) {
  const port = process.env.GOLDLEAF_PORT || '8080';
  const lock = await takeLock(`state ${stateDir}`, `pid ${process.pid}, port ${port}`);
  if (!lock.held) {
    throw new SetUpError(
      `Goldleaf is already running in this state folder (${lock.holder}). Stop it first, or set GOLDLEAF_STATE_DIR ` +
        'and GOLDLEAF_PORT for a second one.',
    );
  }
  await new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (/** @type {NodeJS.ErrnoException} */ error) => {
      // Everything else that may be wrong with it is told by the check of the whole configuration.
      if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') return resolve(undefined);
      const fault = error.code === 'EACCES' ? 'may not be used without root' : 'is taken by another program';
      reject(new SetUpError(`port ${port} ${fault}: set GOLDLEAF_PORT to a free one`));
    });
    if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) return resolve(undefined);
    probe.listen(Number(port), process.env.GOLDLEAF_HOST || '127.0.0.1', () => probe.close(resolve));
  });
}
