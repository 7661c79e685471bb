import { readFileSync } from 'node:fs';
import { isRoot } from './places.mjs';
import { SetUpError } from './progress.mjs';
import { lastLines, runCommand } from './run-command.mjs';

/** `goldleaf` runs the embedded servers, `goldleaf-vm` the machines: a guest that breaks out finds nothing of ours. */
const usernames = ['goldleaf', 'goldleaf-vm'];

/** Makes the system users that servers and machines run as; without root all run as the present user. */
export async function makeSystemUsers() {
  if (!isRoot) return undefined;
  const known = (/** @type {string} */ name, file = '/etc/passwd') =>
    readFileSync(file, 'utf8')
      .split('\n')
      .some((line) => line.startsWith(`${name}:`));
  const missing = usernames.filter((name) => !known(name));
  for (const name of missing) {
    const args = ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent'];
    const { ok, output } = await runCommand('useradd', [...args, '--shell', '/usr/sbin/nologin', name]);
    if (!ok) throw new SetUpError(`the user ${name} could not be made: ${lastLines(output)}`);
  }
  if (missing.includes('goldleaf-vm') && known('kvm', '/etc/group')) {
    await runCommand('usermod', ['--append', '--groups', 'kvm', 'goldleaf-vm']);
  }
  return missing.length > 0 ? `made ${missing.join(' and ')}` : undefined;
}
