import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findPackageSources, type OsRelease } from '#libs/images';
import { AppLayerError } from '../app-layer-error.js';
import type { BuildRoot } from './build-root.js';
import { type PlannedPackage, readInstallPlan } from './install-plan.js';

export interface InstallOptions {
  readonly root: BuildRoot;
  readonly os: OsRelease;
  readonly packages: readonly string[];
  /** Folder of the build, for apt's settings. */
  readonly dir: string;
  readonly logPath: string;
  /** Seconds, for what packages write into files they make. */
  readonly epoch: number;
  readonly onProgress: (step: string, fraction: number) => void;
}

/**
 * Adds packages to the root of a build. They are fetched by the host's apt, with the host's mirrors, and unpacked in the
 * image by its own dpkg without a network; nothing of the image is upgraded or removed, and no service is started.
 * @returns what was added
 * @throws AppLayerError
 */
export async function installPackages(options: InstallOptions): Promise<PlannedPackage[]> {
  const { root, packages, logPath, onProgress } = options;
  const configPath = await writeAptConfig(options);
  const env = { APT_CONFIG: configPath, DEBIAN_FRONTEND: 'noninteractive', SOURCE_DATE_EPOCH: String(options.epoch) };
  const failed = (what: string, text: string) => aptFailure(what, text, logPath);

  onProgress('fetching package lists', 0.02);
  const lists = await capture(root, ['update'], { env });
  if (lists.exitCode !== 0) throw failed('package lists cannot be fetched', lists.output);

  onProgress('finding what the packages add', 0.12);
  const plan = await capture(root, ['--simulate', 'install', ...packages], { env });
  const added = readInstallPlan(plan.output, packages);

  let fetched = 0;
  const onFetch = (line: string) => {
    if (line.startsWith('Get:')) onProgress('fetching packages', 0.15 + (0.2 * ++fetched) / added.length);
  };
  const download = await capture(root, ['--yes', '--download-only', 'install', ...packages], { env, onLine: onFetch });
  if (download.exitCode !== 0) throw failed('packages cannot be fetched', download.output);

  const policyPath = join(root.merged, 'usr/sbin/policy-rc.d');
  await writeFile(policyPath, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  let steps = 0;
  const onStep = (line: string) => {
    if (/^(Unpacking|Setting up) /.test(line))
      onProgress('installing packages', 0.35 + (0.35 * ++steps) / (added.length * 2));
  };
  const install = await capture(root, ['--yes', '--no-download', 'install', ...packages], {
    env: { ...env, PYTHONHASHSEED: '0' },
    offline: true,
    onLine: onStep,
  });
  if (install.exitCode !== 0) throw failed('packages cannot be installed', install.output);
  await rm(policyPath);
  return added;
}

async function capture(root: BuildRoot, args: readonly string[], options: Parameters<BuildRoot['run']>[2]) {
  const lines: string[] = [];
  const { exitCode } = await root.run('apt-get', args, {
    ...options,
    onLine: (line) => {
      lines.push(line);
      options?.onLine?.(line);
    },
  });
  return { exitCode, output: lines.join('\n') };
}

/** The host's apt, working on the root of the build and with nothing of the host's own settings but mirrors and proxy. */
async function writeAptConfig({ root, os, dir }: InstallOptions): Promise<string> {
  const sources = await findPackageSources(os.codename, await imageSources(root));
  if (sources.lines.length === 0) {
    throw new AppLayerError(
      'no-network',
      `there is no package source for ${os.codename}: neither this host nor the golden image names one in its apt sources`,
    );
  }
  const sourcesPath = join(dir, 'sources.list');
  await writeFile(sourcesPath, `${sources.lines.join('\n')}\n`);
  const target = root.mergedForTools;
  const settings = [
    `Dir "${target}"`,
    `Dir::State::status "${target}/var/lib/dpkg/status"`,
    `Dir::Etc::SourceList "${sourcesPath}"`,
    'Dir::Etc::SourceParts "/dev/null"',
    'Dir::Etc::Trusted "/etc/apt/trusted.gpg"',
    'Dir::Etc::TrustedParts "/etc/apt/trusted.gpg.d"',
    `DPkg::Chroot-Directory "${target}"`,
    'DPkg::Use-Pty "false"',
    'APT::Sandbox::User "root"',
    'APT::Install-Recommends "false"',
    'APT::Update::Error-Mode "any"',
    'Acquire::Retries "2"',
    'Acquire::http::Timeout "20"',
    'Acquire::Languages "none"',
    ...sources.aptOptions,
  ];
  const path = join(dir, 'apt.conf');
  await writeFile(path, settings.map((setting) => `${setting};\n`).join(''));
  return path;
}

async function imageSources(root: BuildRoot): Promise<string[]> {
  const text = await readFile(join(root.base, 'etc/apt/sources.list'), 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line.startsWith('deb '));
}

function aptFailure(what: string, output: string, logPath: string): AppLayerError {
  if (/No space left on device/i.test(output)) {
    return new AppLayerError('no-space', `the disk became full while the layer was built; see ${logPath}`);
  }
  if (/Failed to fetch|Unable to fetch|Could not resolve|Unable to connect|Could not connect|timed out/i.test(output)) {
    return new AppLayerError(
      'no-network',
      `${what}: check the network and the apt sources of this host; see ${logPath}`,
    );
  }
  return new AppLayerError('build-failed', `${what}; see ${logPath}`);
}
