import { ensureBuild } from './build.mjs';
import { waitForLock } from './lock.mjs';
import { ensureNpmPackages } from './npm-packages.mjs';
import { makeStateFolder, root } from './places.mjs';
import { SetUpError, step } from './progress.mjs';
import { ensureSystemPackages } from './system-packages.mjs';
import { makeSystemUsers } from './system-users.mjs';

const oldestNode = [20, 19];

/**
 * Everything that must be there before Goldleaf can start. Each step costs milliseconds when it is done already.
 * @param {{ forTests?: boolean, onStateFolder?: (folder: string) => Promise<void> }} [options]
 *   `onStateFolder` is called before anything heavy.
 * @returns {Promise<string>} the state folder, absolute
 */
export async function setUp({ forTests = false, onStateFolder } = {}) {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])) {
    throw new SetUpError(`Node ${oldestNode.join('.')} or later is needed; this is ${process.versions.node}`);
  }
  if (process.platform !== 'linux') throw new SetUpError('Goldleaf runs on Linux only');
  let folder = '';
  await step('State', () => {
    try {
      const made = makeStateFolder();
      folder = made.folder;
      return made.told;
    } catch (error) {
      const { code } = /** @type {NodeJS.ErrnoException} */ (error);
      if (error instanceof SetUpError || code === undefined) throw error;
      throw new SetUpError(`GOLDLEAF_STATE_DIR: expected a folder that can be made and written to (${code})`);
    }
  });
  await onStateFolder?.(folder);
  const release = await waitForLock(`set-up ${root}`, (holder) =>
    console.log(`  … waiting for another set-up (${holder})`),
  );
  try {
    await step('System packages', (say) => ensureSystemPackages({ forTests, say }));
    await step('System users', makeSystemUsers);
    await step('npm packages', ensureNpmPackages);
    await step('Build', ensureBuild);
  } finally {
    release();
  }
  return folder;
}
