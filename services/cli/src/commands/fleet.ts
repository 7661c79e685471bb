import type { PoolView, ProfileView } from '#libs/contracts';
import type { CommandContext } from '../command-context.js';
import type { CommandResult } from '../command-result.js';
import { list, minute } from '../text/format.js';
import { table } from '../text/table.js';

/** Pools and how they are. */
export async function listPools(context: CommandContext): Promise<CommandResult> {
  const pools = await (await context.broker()).pools();
  return { document: pools, text: poolTable(pools) };
}

const poolTable = (pools: readonly PoolView[]): string =>
  table(
    ['name', 'image', 'roles', 'mode', 'spares', 'in use', 'waiting', 'quarantine', 'max'],
    pools.map(({ name, image, imageVersion, roles, mode, spares, counts, queue, max }) => [
      name,
      imageVersion === null ? `${image} (none)` : `${image} ${imageVersion}`,
      list(roles),
      mode,
      `${counts.available} of ${spares}`,
      counts.assigned,
      queue.length,
      counts.quarantined,
      max,
    ]),
    'There are no pools',
  );

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
