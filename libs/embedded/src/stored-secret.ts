import { readFile, rename, writeFile } from 'node:fs/promises';
import { newToken } from '#libs/kernel';

/** The secret kept in `file`, made at first use; readable by its owner only. */
export async function storedSecret(file: string): Promise<string> {
  const stored = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  if (stored.trim() !== '') return stored.trim();
  const made = newToken();
  await writeFile(`${file}.new`, `${made}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return made;
}
