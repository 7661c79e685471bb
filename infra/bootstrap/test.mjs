/**
 * `npm test`: sets up what is missing, then lint, all three suites and the simulation. Ends with a line `N passed, N
 * failed`; a suite that skipped tests, or ran none, is a failure, so that green always means that everything was tried.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitForLock } from './lock.mjs';
import { root } from './places.mjs';
import { runToEnd, step } from './progress.mjs';
import { runCommand } from './run-command.mjs';
import { setUp } from './set-up.mjs';

/** @typedef {{ passed: number, failed: number, skipped: number }} Count */

const suites = [
  { name: 'unit', options: ['--maxWorkers=2'], limitMinutes: 10 },
  { name: 'int', options: ['--maxWorkers=2'], limitMinutes: 32 },
  { name: 'e2e', options: ['--runInBand'], limitMinutes: 45 },
];

/**
 * @param {{ name: string, options: string[], limitMinutes: number }} suite
 * @param {string} folder for the results
 * @param {string} stateDir
 * @returns {Promise<Count>}
 */
async function runSuite({ name, options, limitMinutes }, folder, stateDir) {
  console.log(`\n  ${name}\n`);
  const file = join(folder, `${name}.json`);
  const args = ['--selectProjects', name, ...options, '--json', `--outputFile=${file}`];
  const { ok } = await runCommand(process.execPath, ['node_modules/jest/bin/jest.js', ...args], {
    cwd: root,
    show: 'stderr',
    limitMs: limitMinutes * 60_000,
    env: {
      ...process.env,
      NODE_ENV: 'test',
      NODE_OPTIONS: '--experimental-vm-modules --no-warnings',
      GOLDLEAF_STATE_DIR: stateDir,
    },
  });
  if (!existsSync(file)) {
    console.log(`  ✗ ${name} did not run to its end (it may take ${limitMinutes} minutes)`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const results = JSON.parse(readFileSync(file, 'utf8'));
  const passed = results.numPassedTests;
  const skipped = results.numPendingTests + results.numTodoTests;
  // A file that could not even be loaded counts as one failed test.
  let failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
  if (!ok && failed === 0) failed = 1;
  if (passed + failed === 0) {
    console.log(`  ✗ not one test of ${name} ran`);
    failed = 1;
  }
  return { passed, failed, skipped };
}

const SEEDS = 1_000;

/** The simulation counts as one test. @returns {Promise<Count>} */
async function runSimulation() {
  console.log(`\n  simulation\n`);
  const { run } = await import(`${root}/dist/test/simulation/sim.js`);
  const ok = await run(['--seeds', String(SEEDS)]);
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 };
}

/** @param {string} stateDir */
async function buildGoldenImage(stateDir) {
  const release = await waitForLock(`image ${stateDir}`, (holder) =>
    console.log(`  … waiting for another build of the golden image (${holder})`),
  );
  try {
    const { buildDemoImage } = await import(`${root}/dist/services/standalone/src/build-demo-image.js`);
    return await buildDemoImage(stateDir);
  } finally {
    release();
  }
}

await runToEnd(async () => {
  console.log('\n  Goldleaf: set-up for the tests\n');
  const stateDir = await setUp({ forTests: true });
  /** @type {Count} */
  const total = { passed: 0, failed: 0, skipped: 0 };
  const add = (/** @type {Count} */ count) => {
    total.passed += count.passed;
    total.failed += count.failed;
    total.skipped += count.skipped;
  };
  const image = step('Golden image', () => buildGoldenImage(stateDir));
  // Each keeps one processor busy at most.
  const lint = step('Lint', async () => {
    const { ok, output } = await runCommand('npm', ['run', '--silent', 'lint'], { cwd: root });
    if (ok) return 'types, style, layers, cycles';
    console.log(output);
    total.failed += 1;
    return 'FAILED';
  });
  await Promise.all([image, lint]);
  const folder = mkdtempSync(join(tmpdir(), 'goldleaf-results-'));
  for (const suite of suites) {
    const count = await runSuite(suite, folder, stateDir);
    if (suite.name === 'unit') add(await runSimulation());
    add(count);
  }
  rmSync(folder, { recursive: true, force: true });
  console.log('');
  console.log(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`);
  process.exit(total.failed > 0 || total.skipped > 0 ? 1 : 0);
});
