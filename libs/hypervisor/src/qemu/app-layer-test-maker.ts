import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Makes a layer with one program, for tests only: it waits until it is ended, and is in the menu. Beside it there are a
 * settings schema without its compiled form, a list of file types, and a file for /etc.
 * @returns path of the EROFS file
 */
export async function makeAppLayer(dir: string, name: string, versionId = '12'): Promise<string> {
  const root = await mkdtemp(join(dir, `${name}-`));
  const schema =
    `<schemalist><schema id="org.goldleaf.${name}" path="/org/goldleaf/${name}/"><key name="size" type="i">` +
    '<default>7</default></key></schema></schemalist>\n';
  const files: Record<string, string> = {
    [`lib/extension-release.d/extension-release.${name}`]: `ID=debian\nVERSION_ID=${versionId}\n`,
    [`bin/${name}`]: `#!/bin/sh\necho "$0 $*" >> /tmp/${name}.log\nwhile :; do sleep 1; done\n`,
    [`share/applications/${name}.desktop`]: `[Desktop Entry]\nType=Application\nName=The ${name}, of course\nExec=${name} --file %f "two words"\nIcon=${name}\n`,
    [`share/goldleaf/factory/${name}/etc/${name}/kept.conf`]: 'as it came\n',
    [`share/goldleaf/factory/${name}/etc/${name}/changed.conf`]: 'as it came\n',
    [`share/glib-2.0/schemas/org.goldleaf.${name}.gschema.xml`]: schema,
    'share/mime/mime.cache': `compiled for ${name}`,
    'share/mime/globs2': `50:application/x-${name}:*.${name}\n`,
    // More than is read to mount it and to run its program.
    [`share/${name}/data`]: `${name} `.repeat(1 << 20),
  };
  for (const [path, text] of Object.entries(files)) {
    const file = join(root, 'usr', path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    if (path.startsWith('bin/')) await chmod(file, 0o755);
  }
  const layer = `${root}.erofs`;
  await run('mkfs.erofs', ['--quiet', '--all-root', '-T0', layer, root]);
  return layer;
}
