import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from './places.mjs';
import { SetUpError } from './progress.mjs';
import { lastLines, runCommand } from './run-command.mjs';

const portal = join(root, 'services/portal');

/** @typedef {{ name: string, sources: string[], command: string, args: string[], result: string }} Part */

/** @type {Part[]} */
const parts = [
  {
    name: 'services',
    sources: ['libs', 'services', 'migrations', 'test', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'],
    command: 'node_modules/typescript/bin/tsc',
    // Types are the linter's work: checking them here too would take most of the time.
    args: ['-p', 'tsconfig.build.json', '--noCheck'],
    result: 'dist/services/standalone/src/main.js',
  },
  {
    name: 'portal',
    sources: ['services/portal', 'libs/contracts', 'tsconfig.json', 'package-lock.json'],
    command: 'node_modules/vite/bin/vite.js',
    args: ['build', 'services/portal', '--logLevel', 'warn'],
    result: 'dist/portal/index.html',
  },
];

const staleParts = () =>
  parts.map((part) => ({ part, print: fingerprint(part) })).filter(({ part, print }) => !isBuilt(part, print));

/** Whether `ensureBuild` would build anything. */
export const isBuildStale = () => staleParts().length > 0;

/** Builds what changed since the last build. @returns {Promise<string | undefined>} */
export async function ensureBuild() {
  const stale = staleParts();
  if (stale.length === 0) return undefined;
  const results = await Promise.all(
    stale.map(async ({ part, print }) => {
      rmSync(stampOf(part), { force: true });
      const { ok, output } = await runCommand(process.execPath, [join(root, part.command), ...part.args], {
        cwd: root,
        env: { ...process.env, NODE_ENV: 'production', NODE_OPTIONS: '' },
      });
      if (!ok || !existsSync(join(root, part.result)))
        return `${part.name} cannot be built:\n    ${lastLines(output, 30)}`;
      mkdirSync(join(root, 'dist'), { recursive: true });
      writeFileSync(stampOf(part), print);
      return undefined;
    }),
  );
  const failure = results.find((result) => result !== undefined);
  if (failure) throw new SetUpError(failure);
  return stale.map(({ part }) => part.name).join(' and ');
}

const stampOf = (/** @type {Part} */ part) => join(root, `dist/.built-${part.name}`);

/** @param {Part} part @param {string} print */
const isBuilt = (part, print) =>
  existsSync(join(root, part.result)) && existsSync(stampOf(part)) && readFileSync(stampOf(part), 'utf8') === print;

/** Names, sizes and times of all sources: changes whenever one of them does. @param {Part} part */
function fingerprint(part) {
  const hash = createHash('sha256');
  const visit = (/** @type {string} */ path) => {
    const facts = statSync(path, { throwIfNoEntry: false });
    if (!facts) return;
    if (facts.isDirectory()) {
      if (part.name === 'services' && path === portal) return;
      for (const name of readdirSync(path).sort()) if (name !== 'node_modules') visit(join(path, name));
    } else {
      hash.update(`${relative(root, path)} ${facts.size} ${facts.mtimeMs}\n`);
    }
  };
  for (const source of part.sources) visit(join(root, source));
  return hash.digest('hex');
}
