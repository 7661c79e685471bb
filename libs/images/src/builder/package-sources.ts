import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);

/** Where packages come from: lines for sources.list and apt options such as a proxy. */
export interface PackageSources {
  readonly lines: readonly string[];
  readonly aptOptions: readonly string[];
}

/**
 * Takes the sources that the host itself uses for the suite, so that a local mirror or proxy serves the image too;
 * the recipe's when the host is of another release.
 */
export async function findPackageSources(suite: string, fallback: readonly string[]): Promise<PackageSources> {
  const targets = await output('apt-get', [
    'indextargets',
    '--format',
    '$(IDENTIFIER)|$(SITE)|$(RELEASE)|$(COMPONENT)',
    'Created-By: Packages',
  ]);
  const config = await output('apt-config', ['dump', 'Acquire']);
  return { lines: sourceLines(targets, suite) ?? fallback, aptOptions: proxyOptions(config) };
}

/** @returns undefined when the host has no source for the main part of the suite */
export function sourceLines(indexTargets: string, suite: string): string[] | undefined {
  const ofSuite = new Set([suite, `${suite}-updates`, `${suite}-security`]);
  const lines = new Set<string>();
  let hasMain = false;
  for (const row of indexTargets.split('\n')) {
    const [identifier, site, release, component] = row.split('|');
    if (identifier !== 'Packages' || !site || !release || component !== 'main' || !ofSuite.has(release)) continue;
    if (!/^https?:\/\//.test(site)) continue;
    hasMain ||= release === suite;
    lines.add(`deb ${site} ${release} main`);
  }
  return hasMain ? [...lines] : undefined;
}

/** The host's proxies, as apt options. */
export function proxyOptions(aptConfig: string): string[] {
  return aptConfig
    .split('\n')
    .filter((line) => /^Acquire::https?::Proxy(::[^ ]+)? ".+";$/i.test(line))
    .map((line) => line.replace(/;$/, ''));
}

async function output(command: string, args: readonly string[]): Promise<string> {
  try {
    return (await execFileAsync(command, args, { maxBuffer: 16 << 20 })).stdout;
  } catch {
    return '';
  }
}
