import type { ProfileVersionView } from '#libs/contracts';
import type { CommandContext } from '../command-context.js';
import type { CommandResult } from '../command-result.js';
import { bytes, minute } from '../text/format.js';
import { table } from '../text/table.js';
import { type ContextOptions, contextOf } from './profile-volume.js';

/** The versions of a person's profile, newest first. */
export async function listVersions(
  context: CommandContext,
  username: string,
  options: ContextOptions,
): Promise<CommandResult> {
  const broker = await context.broker();
  const profile = await contextOf(broker, username, options);
  const versions = await broker.profileVersions(username, profile);
  return { document: versions, text: versionTable(versions) };
}

const versionTable = (versions: readonly ProfileVersionView[]): string =>
  table(
    ['version', 'saved', 'why', 'added', 'on', 'state'],
    versions.map((version) => [
      version.number,
      minute(version.createdAt),
      version.restoredFrom === null ? version.reason : `${version.reason} from ${version.restoredFrom}`,
      bytes(version.writtenBytes),
      version.host ?? '-',
      stateOf(version),
    ]),
    'Nothing was saved yet',
  );

function stateOf({ state, damage, isNewest, isClean }: ProfileVersionView): string {
  if (state === 'damaged') return damage === null ? 'damaged' : `damaged: ${damage}`;
  return [isNewest ? 'newest' : 'good', ...(isClean ? [] : ['while in use'])].join(', ');
}

/** Makes an older version the newest again. */
export async function restoreVersion(
  context: CommandContext,
  username: string,
  version: number,
  options: ContextOptions,
): Promise<CommandResult> {
  const broker = await context.broker();
  const profile = await contextOf(broker, username, options);
  await broker.restoreProfile(username, profile, version);
  return {
    document: { username, context: profile, restoredFrom: version },
    text: `${username}'s profile "${profile}" goes back to version ${version}, within seconds; what was the newest stays among the versions`,
  };
}
