/** `npm run sim -- ...`: npm packages and the build as needed, then the simulation. Needs no servers and no images. */
import { ensureBuild } from './build.mjs';
import { ensureNpmPackages } from './npm-packages.mjs';
import { root } from './places.mjs';
import { runToEnd, step } from './progress.mjs';

await runToEnd(async () => {
  await step('npm packages', ensureNpmPackages);
  await step('Build', async () => (await ensureBuild()) ?? 'nothing changed');
  const { run } = await import(`${root}/dist/test/simulation/sim.js`);
  if (!(await run(process.argv.slice(2)))) process.exitCode = 1;
});
