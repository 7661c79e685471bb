import { chmod, mkdir, mkdtemp, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { repository } from './repository.js';

/**
 * A state folder of its own, whose golden images and built application layers are shared with other runs.
 * @param given where; else at a new place
 */
export async function makeStateDir(given?: string): Promise<string> {
  const stateDir = given ?? (await mkdtemp(join(tmpdir(), 'goldleaf-e2e-')));
  await mkdir(stateDir, { recursive: true });
  // Machines and servers run as other users than root.
  await chmod(stateDir, 0o755);
  for (const shared of ['images', 'app-layers']) {
    const folder = resolve(repository, process.env.GOLDLEAF_STATE_DIR ?? '.goldleaf', shared);
    await mkdir(folder, { recursive: true });
    await symlink(folder, join(stateDir, shared));
  }
  return stateDir;
}
