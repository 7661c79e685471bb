import { readFile } from 'node:fs/promises';
import { CliError } from './cli-error.js';

/** @throws CliError that names the file */
export async function readTextFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new CliError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`, 'unreadable-file');
  }
}
