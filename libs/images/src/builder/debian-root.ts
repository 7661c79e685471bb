import { join } from 'node:path';
import { ImageError } from './image-error.js';
import { findPackageSources } from './package-sources.js';
import type { LoadedRecipe } from './recipe.js';
import { runTool } from './run-tool.js';

/** Told of a step in words and of the whole build's progress, 0 to 1. */
export type BuildProgress = (step: string, fraction: number) => void;

export interface DebianRootOptions {
  readonly loaded: LoadedRecipe;
  readonly rootDir: string;
  readonly logPath: string;
  readonly onProgress: BuildProgress;
  readonly signal?: AbortSignal;
}

/** Fills `rootDir` with the recipe's packages, files and customisation. @throws ImageError */
export async function buildDebianRoot(options: DebianRootOptions): Promise<void> {
  const { recipe, dir } = options.loaded;
  const sources = await findPackageSources(recipe.suite, recipe.mirrors);
  const quotedSources = recipe.mirrors.map((line) => `'${line}'`).join(' ');
  const args = [
    '--mode=root',
    '--variant=minbase',
    '--format=directory',
    '--verbose',
    `--include=${recipe.packages.join(',')}`,
    '--aptopt=Apt::Install-Recommends "false"',
    '--aptopt=Acquire::Retries "2"',
    '--aptopt=Acquire::http::Timeout "20"',
    '--aptopt=Acquire::Languages "none"',
    ...sources.aptOptions.map((option) => `--aptopt=${option}`),
    '--dpkgopt=force-unsafe-io',
    // The recipe's files are there first; a package's own version must not ask which to keep.
    '--dpkgopt=force-confold',
    ...recipe.excludedPaths.map((pattern) => `--dpkgopt=path-exclude=${pattern}`),
    // Ahead of the packages, so that the initramfs is made with the recipe's configuration, once.
    `--essential-hook=cp -r --preserve=mode '${join(dir, 'files')}/.' "$1/"`,
    `--customize-hook=cp -r --preserve=mode '${join(dir, 'files')}/.' "$1/"`,
    `--customize-hook=cp '${join(dir, 'customize.sh')}' "$1/customize.sh" && chroot "$1" sh /customize.sh && rm "$1/customize.sh"`,
    // The host's own mirror and proxy are nobody else's business.
    `--customize-hook=rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap" "$1"/etc/apt/sources.list.d/* && printf '%s\\n' ${quotedSources} > "$1/etc/apt/sources.list"`,
    recipe.suite,
    options.rootDir,
    ...sources.lines,
  ];
  const progress = new PackageProgress(options.onProgress);
  const { exitCode, tail } = await runTool({
    command: 'mmdebstrap',
    args,
    logPath: options.logPath,
    onLine: (line) => progress.take(line),
    signal: options.signal,
  });
  if (exitCode !== 0) throw failure(progress, tail, options.logPath);
}

const NETWORK_TROUBLE =
  /Could not resolve|Temporary failure resolving|Unable to connect|Could not connect|Connection timed out|Connection failed|Failed to fetch|Unable to fetch|Network is unreachable/i;

function failure(progress: PackageProgress, tail: string, logPath: string): ImageError {
  if (/No space left on device/i.test(tail) || progress.sawNoSpace) {
    return new ImageError('no-space', `the disk became full while the golden image was built; see ${logPath}`);
  }
  if (progress.sawNetworkTrouble || NETWORK_TROUBLE.test(tail)) {
    return new ImageError(
      'no-network',
      `Debian packages for the golden image cannot be fetched: check the network and the apt sources of this host; see ${logPath}`,
    );
  }
  return new ImageError('build-failed', `mmdebstrap could not build the golden image; see ${logPath}`);
}

/** Reads progress and the cause of a failure from what mmdebstrap and apt print. */
export class PackageProgress {
  sawNetworkTrouble = false;
  sawNoSpace = false;
  private expected = 0;
  private done = 0;

  constructor(private readonly onProgress: BuildProgress) {}

  take(line: string): void {
    if (/^(E|Err):/.test(line) && NETWORK_TROUBLE.test(line)) this.sawNetworkTrouble = true;
    if (/No space left on device/i.test(line)) this.sawNoSpace = true;
    const installed = /, (\d+) newly installed,/.exec(line);
    if (installed) {
      // Fetched, unpacked and set up.
      this.expected = Number(installed[1]) * 3;
      this.done = 0;
    }
    if (/^(Get:\d|Unpacking |Setting up )/.test(line) && this.expected > 0) {
      this.done += 1;
      const share = Math.min(1, this.done / this.expected);
      this.onProgress('installing packages', 0.1 + 0.6 * share);
    } else if (line.startsWith('I: running apt-get update')) this.onProgress('fetching package lists', 0.01);
    else if (line.startsWith('I: downloading packages')) this.onProgress('fetching the base system', 0.03);
    else if (line.startsWith('I: extracting archives')) this.onProgress('unpacking the base system', 0.06);
    else if (line.startsWith('I: running --customize-hook')) this.onProgress('arranging the desktop', 0.72);
  }
}
