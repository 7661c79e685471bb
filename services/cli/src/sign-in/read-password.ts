import { CliError, UsageError } from '../cli-error.js';
import { readOwnFile } from './sign-in-file.js';

const MAX_BYTES = 4096;

export interface PasswordSource {
  readonly stdin: NodeJS.ReadStream;
  /** Of `--password-file`; `-` is standard input. */
  readonly file: string | undefined;
  readonly username: string;
  readonly signal: AbortSignal;
}

/**
 * The password: of the file, of standard input when that is no terminal, or asked for without echo. One newline at the end
 * is not part of it.
 */
export async function readPassword({ stdin, file, username, signal }: PasswordSource): Promise<string> {
  let text: string | undefined;
  if (file !== undefined && file !== '-') {
    text = await readOwnFile(file);
    if (text === undefined) throw new CliError(`${file} is not there`, 'unreadable-file');
  } else if (file === '-' || !stdin.isTTY) {
    text = await readAll(stdin);
  } else {
    text = await ask(username, signal);
  }
  const password = text.replace(/\r?\n$/, '');
  if (password === '') throw new UsageError('The password is empty: type it, or give it on standard input');
  return password;
}

async function readAll(stdin: NodeJS.ReadStream): Promise<string> {
  const parts: Buffer[] = [];
  let total = 0;
  for await (const part of stdin as AsyncIterable<Buffer | string>) {
    const bytes = Buffer.from(part);
    total += bytes.length;
    if (total > MAX_BYTES) throw new UsageError('What is on standard input is too long for a password');
    parts.push(bytes);
  }
  return Buffer.concat(parts).toString('utf8');
}

async function ask(username: string, signal: AbortSignal): Promise<string> {
  const { default: prompt } = await import('@inquirer/password');
  return prompt({ message: `Password of ${username}:` }, { output: process.stderr, signal, clearPromptOnDone: false });
}
