import { type Command, Option } from 'commander';
import type { Perform } from '../command-work.js';
import type { ListProfilesOptions } from '../commands/profile.js';
import type { DeleteProfileOptions } from '../commands/profile-delete.js';
import type { ContextOptions } from '../commands/profile-volume.js';
import { sizeInMiB } from './size-in-mib.js';
import { wholeNumber } from './whole-number.js';

const profiles = () => import('../commands/profile.js');
const versions = () => import('../commands/profile-versions.js');
const limits = () => import('../commands/profile-limits.js');

/** What `goldleaf profile` understands. */
export function addProfileCommands(profile: Command, perform: Perform): void {
  profile
    .command('list')
    .argument('[user]', 'the volumes of this person; without, what everybody got at their last logon')
    .description('profiles of people')
    .addOption(new Option('--user <name>', 'what this person got at their last logon'))
    .action((user: string | undefined, options: ListProfilesOptions, command: Command) => {
      if (user !== undefined && options.user !== undefined)
        command.error('error: name one person, with or without --user');
      return perform(async (context) =>
        user === undefined
          ? (await profiles()).listProfiles(context, options)
          : (await profiles()).listVolumes(context, user),
      );
    });
  withContext(profile.command('versions').argument('<user>'))
    .description("the versions of a person's profile, newest first")
    .action((user: string, options: ContextOptions) =>
      perform(async (context) => (await versions()).listVersions(context, user, options)),
    );
  withContext(profile.command('restore').argument('<user>').argument('<version>', 'its number', wholeNumber))
    .description('makes an older version the newest again; the person has to be logged off')
    .action((user: string, version: number, options: ContextOptions) =>
      perform(async (context) => (await versions()).restoreVersion(context, user, version, options)),
    );
  profile
    .command('delete')
    .argument('<user>')
    .description("destroys the keys of a person's profiles: nobody can ever read them again")
    .option('--context <name>', 'only the profile of this name')
    .option('--yes', 'do not ask')
    .action((user: string, options: DeleteProfileOptions) =>
      perform(async (context) => (await import('../commands/profile-delete.js')).deleteProfile(context, user, options)),
    );
  profile
    .command('limits')
    .description('how large profiles of people in each role may be')
    .action(() => perform(async (context) => (await limits()).listLimits(context)));
  profile
    .command('limit')
    .argument('<role>', 'group of the directory')
    .argument('<size>', 'such as 512M or 10G; default takes the limit of the role away', (text: string) =>
      text === 'default' ? null : sizeInMiB(text),
    )
    .description('sets how large profiles of people in a role may be, from their next logon on')
    .action((role: string, sizeMiB: number | null) =>
      perform(async (context) => (await limits()).setLimit(context, role, sizeMiB)),
    );
}

const withContext = (command: Command): Command =>
  command.option('--context <name>', 'which profile, where the person has several');
