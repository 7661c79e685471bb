import { AppLayerError } from '../app-layer-error.js';

export interface PlannedPackage {
  readonly name: string;
  readonly version: string;
}

/**
 * Reads what `apt-get --simulate install` printed.
 * @returns the packages that it would add, by name
 * @throws AppLayerError 'unknown-package', 'changes-base' or 'build-failed'
 */
export function readInstallPlan(output: string, wanted: readonly string[]): PlannedPackage[] {
  const unknown = [
    ...output.matchAll(
      /^E: (?:Unable to locate package (\S+)|Package '(\S+)' has no installation candidate|Version '\S+' for '(\S+)' was not found)/gm,
    ),
  ].map((match) => match[1] ?? match[2] ?? match[3]);
  if (unknown.length > 0) {
    throw new AppLayerError(
      'unknown-package',
      `no package source has ${unknown.join(', ')}: check the recipe's packages`,
    );
  }
  const removed = [...output.matchAll(/^Remv (\S+)/gm)].map((match) => `${match[1]} would be removed`);
  const changed: string[] = [];
  const added: PlannedPackage[] = [];
  for (const [, name, old, version] of output.matchAll(/^Inst (\S+) (?:\[(\S+)\] )?\((\S+) /gm)) {
    if (!name || !version) continue;
    if (old) changed.push(`${name} would go from ${old} to ${version}`);
    else added.push({ name, version });
  }
  const touched = [...removed, ...changed];
  if (touched.length > 0) {
    throw new AppLayerError(
      'changes-base',
      `${wanted.join(', ')} would change packages of the golden image, which a layer cannot: ${touched.join('; ')}. ` +
        'Build a newer version of the golden image and make the layer on that',
    );
  }
  const unmet = /^E: .*$/m.exec(output);
  if (unmet || /have unmet dependencies/.test(output)) {
    throw new AppLayerError(
      'changes-base',
      `${wanted.join(', ')} cannot be added to the golden image as it is: ${unmetLines(output) || unmet?.[0]}`,
    );
  }
  if (added.length === 0) {
    throw new AppLayerError('content-refused', `the golden image has ${wanted.join(', ')} already: nothing to add`);
  }
  return added.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function unmetLines(output: string): string {
  return output
    .split('\n')
    .filter((line) => /(Depends|PreDepends|Conflicts|Breaks): /.test(line))
    .map((line) => line.trim())
    .join('; ');
}
