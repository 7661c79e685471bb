/** Starts PostgreSQL, Redis and guacd once for a whole jest run, or takes those named by TEST_*_URL. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';

const folder = new URL('.', import.meta.url).pathname;

/** @param {{ maxWorkers: number }} globalConfig */
export default async function globalSetup({ maxWorkers }) {
  process.env.GOLDLEAF_TEST_RUN = randomBytes(4).toString('hex');
  const servers = spawn(
    process.execPath,
    ['--no-warnings', '--import', `${folder}typescript-loader.mjs`, `${folder}src/test-servers-main.ts`],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '', GOLDLEAF_TEST_WORKERS: String(maxWorkers) },
    },
  );
  globalThis.goldleafTestServers = servers;
  const ended = new Promise((resolve) => servers.once('exit', resolve));
  // One line of JSON, the addresses, says that all of them answer.
  const line = await Promise.race([
    new Promise((resolve) => createInterface({ input: servers.stdout }).once('line', resolve)),
    ended.then((code) => {
      throw new Error(`the servers for the tests did not start (exit code ${code}); see above`);
    }),
  ]);
  Object.assign(process.env, JSON.parse(line));
}
