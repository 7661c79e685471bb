import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, isRoot } from './places.mjs';
import { SetUpError } from './progress.mjs';
import { lastLines, runCommand } from './run-command.mjs';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const debianArchive = 'http://archive.debian.org/debian';

/**
 * Installs Debian packages without starting or enabling the services in them.
 *
 * guacd is not in Debian 12, so it comes from Debian 11 main, pinned so low that nothing else is taken from there. That
 * source and the pin live in a folder of their own that only these apt-get calls look at: /etc/apt is never touched,
 * so nothing stays behind even when this process is killed.
 * @param {readonly string[]} names
 * @param {boolean} withDebian11
 */
export async function installPackages(names, withDebian11) {
  const folder = mkdtempSync(join(tmpdir(), 'goldleaf-apt-'));
  try {
    chmodSync(folder, 0o755);
    const options = prepareFolder(folder);
    if (withDebian11) addDebian11(folder, debianMirror());
    let updated = await update(options);
    // Debian 11 leaves the mirrors for the archive one day.
    if (!updated.ok && withDebian11) {
      addDebian11(folder, debianArchive);
      updated = await update(options);
    }
    if (!updated.ok) throw networkError('apt-get update', updated.output, names);
    const installed = await withoutStartingServices(() =>
      asRoot('apt-get', [
        ...options,
        ...['-o', 'DPkg::Lock::Timeout=180', '-o', 'Dpkg::Use-Pty=0', '-o', 'Dpkg::Options::=--force-confold'],
        ...['install', '-y', '-q', '--no-install-recommends', ...names],
      ]),
    );
    if (!installed.ok) throw networkError('apt-get install', installed.output, names);
    await disableServices(names);
  } finally {
    await asRoot('rm', ['-rf', folder]);
  }
}

/** apt's own folders below `folder`: sources and preferences copied from the host, lists and cache fresh. */
function prepareFolder(/** @type {string} */ folder) {
  for (const part of ['sources.list.d', 'preferences.d', 'lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(folder, part), { recursive: true });
  }
  for (const part of ['sources.list.d', 'preferences.d']) {
    if (existsSync(`/etc/apt/${part}`))
      cpSync(`/etc/apt/${part}`, join(folder, part), { recursive: true, dereference: true });
  }
  for (const file of ['sources.list', 'preferences']) {
    if (existsSync(`/etc/apt/${file}`)) copyFileSync(`/etc/apt/${file}`, join(folder, file));
  }
  return [
    ...['-o', `Dir::Etc::SourceList=${folder}/sources.list`, '-o', `Dir::Etc::SourceParts=${folder}/sources.list.d`],
    ...[
      '-o',
      `Dir::Etc::Preferences=${folder}/preferences`,
      '-o',
      `Dir::Etc::PreferencesParts=${folder}/preferences.d`,
    ],
    ...['-o', `Dir::State::Lists=${folder}/lists`, '-o', `Dir::Cache=${folder}/cache`],
  ];
}

/** @param {string} folder @param {string} mirror */
function addDebian11(folder, mirror) {
  const source = ['Types: deb', `URIs: ${mirror}`, 'Suites: bullseye', 'Components: main', `Signed-By: ${keyring}`];
  writeFileSync(join(folder, 'sources.list.d/goldleaf-debian11.sources'), `${source.join('\n')}\n`);
  const pin = ['Package: *', 'Pin: release n=bullseye', 'Pin-Priority: 50'];
  writeFileSync(join(folder, 'preferences.d/goldleaf-debian11'), `${pin.join('\n')}\n`);
}

/** The mirror that this host takes Debian 12 from, as it may be the only one it reaches. */
function debianMirror() {
  const parts = existsSync('/etc/apt/sources.list.d') ? readdirSync('/etc/apt/sources.list.d') : [];
  const files = ['/etc/apt/sources.list', ...parts.map((name) => `/etc/apt/sources.list.d/${name}`)];
  const text = files
    .filter((file) => /\.(list|sources)$/.test(file) && existsSync(file))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n\n');
  for (const stanza of text.split(/\n\s*\n/)) {
    const uri = /^URIs:\s*(\S+)/m.exec(stanza)?.[1];
    if (uri && /^Suites:.*\bbookworm(\s|$)/m.test(stanza)) return uri;
    const line = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+bookworm\s/m.exec(stanza)?.[1];
    if (line) return line;
  }
  return 'http://deb.debian.org/debian';
}

/** @param {readonly string[]} options */
const update = (options) =>
  asRoot('apt-get', [...options, '-o', 'APT::Update::Error-Mode=any', '-o', 'Acquire::Retries=2', 'update', '-q']);

/** @param {string} command @param {string} output @param {readonly string[]} names */
function networkError(command, output, names) {
  const offline = /Could not resolve|Temporary failure|Network is unreachable|Could not connect|timed out/i.test(
    output,
  );
  const advice = offline
    ? 'The Debian mirror cannot be reached. Connect this machine to the network (or set the proxy of apt), or install ' +
      `${names.join(', ')} yourself, then start again.`
    : `${command} failed:\n    ${lastLines(output)}`;
  return new SetUpError(advice);
}

const policyFile = '/usr/sbin/policy-rc.d';
const policyMark = '# Placed by Goldleaf for the length of one apt-get; safe to remove.';

/**
 * Forbids packages to start their services meanwhile; they are for our own use, on ports and in folders of our own.
 * @template T @param {() => Promise<T>} work @returns {Promise<T>}
 */
async function withoutStartingServices(work) {
  // One left by a killed run is ours to remove; anybody else's already says what may start here.
  const present = existsSync(policyFile) ? readFileSync(policyFile, 'utf8') : undefined;
  if (present !== undefined && !present.includes(policyMark)) return work();
  const made = join(mkdtempSync(join(tmpdir(), 'goldleaf-policy-')), 'policy-rc.d');
  writeFileSync(made, `#!/bin/sh\n${policyMark}\nexit 101\n`);
  const placed = await asRoot('install', ['-m', '755', made, policyFile]);
  if (!placed.ok) throw new SetUpError(`${policyFile} could not be written:\n    ${lastLines(placed.output)}`);
  try {
    return await work();
  } finally {
    await asRoot('rm', ['-f', policyFile]);
    rmSync(join(made, '..'), { recursive: true, force: true });
  }
}

/** Newly installed services must not start with the host either. @param {readonly string[]} names */
async function disableServices(names) {
  if (!findProgram('systemctl')) return;
  for (const name of names.filter((name) => ['redis-server', 'slapd', 'guacd'].includes(name))) {
    await asRoot('systemctl', ['disable', '--quiet', name]);
  }
}

/** @param {string} command @param {readonly string[]} args */
function asRoot(command, args) {
  const settings = ['DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C.UTF-8'];
  if (isRoot) return runCommand('env', [...settings, command, ...args]);
  if (!findProgram('sudo')) {
    throw new SetUpError(`this needs root, and there is no sudo. As root: ${command} ${args.slice(-8).join(' ')}`);
  }
  // On a terminal sudo may ask for the password; elsewhere it must not wait for one.
  const ask = process.stdin.isTTY ? [] : ['-n'];
  return runCommand('sudo', [...ask, 'env', ...settings, command, ...args], { stdin: 'inherit' });
}
