import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { installPackages } from './apt.mjs';
import { findProgram, isRoot } from './places.mjs';
import { SetUpError } from './progress.mjs';

/**
 * @typedef {{ package: string, why: string, isThere: () => boolean, fromDebian11?: boolean, unless?: string }} Need
 */

const program = (/** @type {string} */ name) => () => findProgram(name) !== undefined;

const library = (/** @type {string} */ prefix) => () =>
  ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib', '/usr/local/lib'].some(
    (folder) => existsSync(folder) && readdirSync(folder).some((file) => file.startsWith(prefix)),
  );

/** @type {Need[]} */
const runtimeNeeds = [
  { package: 'qemu-system-x86', why: 'runs the machines', isThere: program('qemu-system-x86_64') },
  { package: 'qemu-utils', why: 'makes their leaves', isThere: program('qemu-img') },
  { package: 'mmdebstrap', why: 'builds the golden image', isThere: program('mmdebstrap') },
  {
    package: 'e2fsprogs',
    why: 'builds the golden image, makes and checks profiles',
    isThere: () => ['mke2fs', 'e2fsck', 'debugfs'].every((name) => findProgram(name) !== undefined),
  },
  { package: 'fuse3', why: 'looks into profiles', isThere: program('fusermount3') },
  { package: 'rsync', why: 'builds the golden image', isThere: program('rsync') },
  { package: 'erofs-utils', why: 'packs application layers', isThere: program('mkfs.erofs') },
  { package: 'redis-server', why: 'jobs and events', isThere: program('redis-server'), unless: 'REDIS_URL' },
  {
    package: 'guacd',
    why: 'streams the display (from Debian 11; Debian 12 has none)',
    isThere: program('guacd'),
    fromDebian11: true,
    unless: 'GUACD_URL',
  },
  {
    package: 'libguac-client-vnc0',
    why: 'the same',
    isThere: library('libguac-client-vnc.so'),
    fromDebian11: true,
    unless: 'GUACD_URL',
  },
];

/** @type {Need[]} */
const testNeeds = [
  { package: 'slapd', why: 'tests: OpenLDAP', isThere: program('slapd') },
  { package: 'ldap-utils', why: 'tests: OpenLDAP', isThere: program('ldapadd') },
  { package: 'openssl', why: 'tests: certificates', isThere: program('openssl') },
  { package: 'libnbd-bin', why: 'tests: a client of volume exports', isThere: program('nbdcopy') },
  { package: 'nbdkit', why: 'benches: what exports are compared with', isThere: program('nbdkit') },
  { package: 'chromium', why: 'tests: the browser', isThere: program('chromium') },
];

/** @returns {{ id: string, version: string, name: string }} */
function distribution() {
  const text = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const field = (/** @type {string} */ name) => new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  return { id: field('ID'), version: field('VERSION_ID'), name: field('PRETTY_NAME') || process.platform };
}

/**
 * Installs the system packages that are missing (Debian 12), or names them (elsewhere).
 * @param {{ forTests: boolean, say: (text: string) => void }} options
 * @returns {Promise<string | undefined>}
 */
export async function ensureSystemPackages({ forTests, say }) {
  const needs = forTests
    ? [...runtimeNeeds.map((need) => ({ ...need, unless: undefined })), ...testNeeds]
    : runtimeNeeds;
  const missing = needs.filter((need) => !(need.unless && process.env[need.unless]) && !need.isThere());
  if (missing.length === 0) return undefined;
  const names = missing.map((need) => need.package);
  const { id, version, name } = distribution();
  if (id !== 'debian' || version !== '12') {
    throw new SetUpError(
      `Goldleaf installs packages by itself on Debian 12 only, and this is ${name}. Please install what these Debian ` +
        `packages hold, then start again:\n${missing.map((n) => `      ${n.package}  (${n.why})`).join('\n')}` +
        (names.includes('guacd') ? '\n    Instead of guacd you may set GUACD_URL to one that runs elsewhere.' : ''),
    );
  }
  say(`installing ${names.join(', ')}${isRoot ? '' : ' (with sudo)'}`);
  await installPackages(
    names,
    missing.some((need) => need.fromDebian11),
  );
  const still = missing.filter((need) => !need.isThere()).map((need) => need.package);
  if (still.length > 0) throw new SetUpError(`apt-get reported success, but these are not there: ${still.join(', ')}`);
  return `installed ${names.join(', ')}`;
}
