#!/usr/bin/env node
/** `npm run goldleaf -- ...` and the program `goldleaf`: npm packages and the build as needed, then the command line. */
import { existsSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { ensureBuild, isBuildStale } from './build.mjs';
import { waitForLock } from './lock.mjs';
import { areNpmPackagesMissing, ensureNpmPackages } from './npm-packages.mjs';
import { root } from './places.mjs';
import { runToEnd, step } from './progress.mjs';

// Standard output is for what was asked.
console.log = console.error;
// npm goes to the folder of the package first; paths are meant from where the person is.
if (process.env.npm_lifecycle_event === 'goldleaf' && process.env.INIT_CWD) process.chdir(process.env.INIT_CWD);
// The same state folder as that of `npm start`, wherever the person is.
const stateDir = resolve(root, process.env.GOLDLEAF_STATE_DIR || '.goldleaf');
process.env.GOLDLEAF_STATE_DIR = existsSync(stateDir) ? realpathSync(stateDir) : stateDir;

await runToEnd(async () => {
  if (areNpmPackagesMissing() || isBuildStale()) {
    const release = await waitForLock(`set-up ${root}`, (holder) =>
      console.log(`  … waiting for another set-up (${holder})`),
    );
    try {
      await step('npm packages', ensureNpmPackages);
      await step('Build', ensureBuild);
    } finally {
      release();
    }
  }
  const { main } = await import(`${root}/dist/services/cli/src/main.js`);
  await main(process.argv.slice(2));
});
