import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { newToken } from '#libs/kernel';

/** The secret kept in `file`, made at first use; readable by its owner only. */
export async function storedSecret(file: string): Promise<string> {
  const stored = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  if (stored.trim() !== '') return stored.trim();
  const made = newToken();
  const handle = await open(`${file}.new`, 'w', 0o600);
  try {
    await handle.writeFile(`${made}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
  // What it seals may outlive a power cut that comes now.
  const folder = await open(dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
  return made;
}
