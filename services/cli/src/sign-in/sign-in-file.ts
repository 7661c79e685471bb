import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { CliError } from '../cli-error.js';

const signInSchema = z.object({ url: z.string(), username: z.string(), token: z.string() });

/** A sign-in as it is kept: good for that server only. */
export type SignIn = z.infer<typeof signInSchema>;

/** Where `goldleaf login` keeps the sign-in: `goldleaf/sign-in.json` in $XDG_CONFIG_HOME, or in ~/.config. */
export function signInPath(env: NodeJS.ProcessEnv): string {
  const configured = env.XDG_CONFIG_HOME;
  // The XDG specification wants relative paths ignored.
  const folder = configured && isAbsolute(configured) ? configured : join(env.HOME || homedir(), '.config');
  return join(folder, 'goldleaf', 'sign-in.json');
}

/** Undefined when nobody signed in. @throws CliError */
export async function readSignIn(path: string): Promise<SignIn | undefined> {
  const text = await readOwnFile(path);
  if (text === undefined) return undefined;
  try {
    return signInSchema.parse(JSON.parse(text));
  } catch {
    throw new CliError(`${path} is damaged: sign in anew with goldleaf login`, 'not-signed-in');
  }
}

export const writeSignIn = (path: string, signIn: SignIn): Promise<void> =>
  writeOwnFile(path, `${JSON.stringify(signIn)}\n`);

/** Undefined when it is not there. @throws CliError */
export async function readOwnFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new CliError(`${path} cannot be read (${code ?? 'unknown error'})`, 'unreadable-file');
  }
}

/** A file that nobody else can read, there whole or not at all. @throws CliError */
export async function writeOwnFile(path: string, text: string): Promise<void> {
  const made = `${path}.${process.pid}.new`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(made, text, { mode: 0o600, flag: 'wx' });
    await rename(made, path);
  } catch (error) {
    await rm(made, { force: true });
    throw new CliError(`${path} cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  }
}
