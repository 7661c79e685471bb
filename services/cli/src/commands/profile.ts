import type { ProfileView, ProfileVolumeView } from '#libs/contracts';
import type { CommandContext } from '../command-context.js';
import type { CommandResult } from '../command-result.js';
import { bytes, list, minute } from '../text/format.js';
import { table } from '../text/table.js';

const MIB = 1024 * 1024;

export interface ListProfilesOptions {
  readonly user?: string;
}

/** What people's profile records hold since their last logon. */
export async function listProfiles(context: CommandContext, { user }: ListProfilesOptions): Promise<CommandResult> {
  const profiles = await (await context.broker()).profiles(user);
  return { document: profiles, text: profileTable(profiles) };
}

const profileTable = (profiles: readonly ProfileView[]): string =>
  table(
    ['user', 'roles', 'applications', 'as of'],
    profiles.map(({ username, roles, apps, updatedAt }) => [
      username,
      list(roles),
      list(apps.map((app) => `${app.name} ${app.version}${app.pinned ? ' (pinned)' : ''}`)),
      minute(updatedAt),
    ]),
    'No profile records: they are made at the first logon',
  );

/** A person's profile volumes. */
export async function listVolumes(context: CommandContext, username: string): Promise<CommandResult> {
  const volumes = await (await context.broker()).profileVolumes(username);
  return { document: volumes, text: volumeTable(volumes, username) };
}

const volumeTable = (volumes: readonly ProfileVolumeView[], username: string): string =>
  table(
    ['profile', 'size', 'newest', 'saved', 'versions', 'damaged', 'stored', 'in use on'],
    volumes.map(({ context, sizeMiB, newest, savedAt, versions, damaged, storedBytes, heldBy }) => [
      context,
      bytes(sizeMiB * MIB),
      newest ?? '-',
      savedAt === null ? '-' : minute(savedAt),
      versions,
      damaged,
      bytes(storedBytes),
      heldBy?.host ?? '-',
    ]),
    `${username} has no profile yet: it is made at the first logon in a pool with profiles`,
  );
