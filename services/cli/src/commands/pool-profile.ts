import { z } from 'zod';
import { type PoolProfile, poolProfileSchema } from '#libs/contracts';
import { CliError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import type { CommandResult } from '../command-result.js';
import { readTextFile } from '../read-text-file.js';

export interface PoolProfileOptions {
  readonly file?: string;
}

/** What a pool does with profiles, as a file for `--file` has it; or has it do what such a file says. */
export async function poolProfile(
  context: CommandContext,
  name: string,
  { file }: PoolProfileOptions,
): Promise<CommandResult> {
  const wanted = file === undefined ? undefined : parsePolicy(file, await readTextFile(file));
  const broker = await context.broker();
  const { profile } = wanted === undefined ? await broker.pool(name) : await broker.setPoolProfile(name, wanted);
  return { document: profile, text: JSON.stringify(profile, null, 2) };
}

function parsePolicy(file: string, text: string): PoolProfile | null {
  try {
    return poolProfileSchema.nullable().parse(JSON.parse(text));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new CliError(`${file} is no policy of profiles:\n${reason}`, 'invalid-file');
  }
}
