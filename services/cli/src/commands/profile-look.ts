import { randomUUID } from 'node:crypto';
import { link, open, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type ProfileEntry, profilePathSchema } from '#libs/contracts';
import { CliError, UsageError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import type { CommandResult } from '../command-result.js';
import { look } from '../looks/look.js';
import { bytes, minute, printable } from '../text/format.js';
import { table } from '../text/table.js';
import { type ContextOptions, contextOf } from './profile-volume.js';

export interface TakeFileOptions extends ContextOptions {
  readonly output?: string;
}

/** What a folder of an older version of a person's profile holds; the home unless told. */
export async function lookIntoVersion(
  context: CommandContext,
  username: string,
  version: number,
  path: string,
  options: ContextOptions,
): Promise<CommandResult> {
  const wanted = { path: checked(path), kind: 'folder' as const };
  const broker = await context.broker();
  const profile = await contextOf(broker, username, options);
  const { entries, isComplete } = await look(context, broker.versionLooks(username, profile, version), wanted);
  const text = entryTable(entries ?? []);
  return {
    document: { username, context: profile, version, path, isComplete, entries },
    text: isComplete ? text : `${text}\nThere is more, which is not shown`,
  };
}

const entryTable = (entries: readonly ProfileEntry[]): string =>
  table(
    ['modified', 'size', 'name'],
    entries.map(({ name, kind, sizeBytes, modifiedAt }) => [
      modifiedAt === null ? '-' : minute(modifiedAt),
      kind === 'file' ? bytes(sizeBytes) : '-',
      kind === 'folder' ? `${name}/` : kind === 'link' ? `${name} (link)` : name,
    ]),
    'The folder is empty',
  );

/** Writes a file of an older version of a person's profile to this computer, where nothing is overwritten. */
export async function takeFile(
  context: CommandContext,
  username: string,
  version: number,
  path: string,
  { output, ...options }: TakeFileOptions,
): Promise<CommandResult> {
  const wanted = { path: checked(path), kind: 'file' as const };
  const target = resolve(output ?? ownName(path));
  const broker = await context.broker();
  const profile = await contextOf(broker, username, options);
  const looks = broker.versionLooks(username, profile, version);
  const { id } = await look(context, looks, wanted);
  const content = await looks.content(id);
  await writeNew(target, content);
  return {
    document: { username, context: profile, version, path, output: target, sizeBytes: content.length },
    text: `${printable(path)} of version ${version} is in ${printable(target)}: ${bytes(content.length)}`,
  };
}

function checked(path: string): string {
  const parsed = profilePathSchema.safeParse(path);
  if (!parsed.success) throw new UsageError(`This is no path: ${parsed.error.issues[0]?.message ?? 'it is too long'}`);
  return path;
}

/** The last part of the path, as a name for a file here. */
function ownName(path: string): string {
  const name = path.split('/').filter(Boolean).at(-1)?.replaceAll('\\', '_');
  if (name === undefined || name === '.' || name === '..') throw new UsageError('Name a file of the profile');
  return name;
}

/** Whole or not at all, and in the place of nothing. */
async function writeNew(target: string, content: Uint8Array): Promise<void> {
  const unfinished = `${target}.${randomUUID()}`;
  try {
    const file = await open(unfinished, 'wx', 0o600);
    await file.writeFile(content).finally(() => file.close());
    await link(unfinished, target);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new CliError(`${target} is there already: name another with --output`, 'exists');
    throw new CliError(`The file cannot be written: ${message}`, 'not-written', { output: target });
  } finally {
    await rm(unfinished, { force: true });
  }
}
