/** `npm run bench -- NAME [--json]`: sets up and builds, then runs test/bench/NAME. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './places.mjs';
import { runToEnd, SetUpError } from './progress.mjs';
import { setUp } from './set-up.mjs';

const [name, ...options] = process.argv.slice(2);
const ending = '.bench.ts';

await runToEnd(async () => {
  const folder = join(root, 'test/bench');
  const names = (existsSync(folder) ? readdirSync(folder) : [])
    .filter((file) => file.endsWith(ending))
    .map((file) => file.slice(0, -ending.length));
  if (!name || !names.includes(name)) {
    throw new SetUpError(`npm run bench -- NAME [--json], where NAME is one of: ${names.join(', ')}`);
  }
  // With --json, standard output holds one JSON object and nothing else.
  if (options.includes('--json')) console.log = console.error;
  process.env.GOLDLEAF_STATE_DIR = await setUp({ forTests: true });
  process.argv = [process.argv[0] ?? 'node', join(folder, `${name}${ending}`), ...options];
  const { run } = await import(`${root}/dist/test/bench/${name}.bench.js`);
  const { printReport } = await import(`${root}/dist/test/bench/bench-report.js`);
  await printReport(run);
});
