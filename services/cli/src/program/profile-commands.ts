import { type Command, Option } from 'commander';
import type { Perform } from '../command-work.js';
import type { ListProfilesOptions } from '../commands/profile.js';
import type { DeleteProfileOptions } from '../commands/profile-delete.js';
import type { TakeFileOptions } from '../commands/profile-look.js';
import type { ContextOptions } from '../commands/profile-volume.js';
import { sizeInMiB } from './size-in-mib.js';
import { wholeNumber } from './whole-number.js';

const profiles = () => import('../commands/profile.js');
const versions = () => import('../commands/profile-versions.js');
const looks = () => import('../commands/profile-look.js');
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
  withContext(profile.command('restore').argument('<user>').argument('[version]', 'its number', wholeNumber))
    .description('makes an older version the newest again, here or from another store; the person has to be logged off')
    .option('--from <store-url>', 'the newest that this store has, or the one given; on a host with the own store')
    .option('--version <number>', 'the same as the argument', wholeNumber)
    .addHelpText(
      'after',
      '\nKeys of another S3 store: GOLDLEAF_TARGET_STORE_ACCESS_KEY and GOLDLEAF_TARGET_STORE_SECRET_KEY.',
    )
    .action((user: string, argument: number | undefined, options: RestoreOptions, command: Command) => {
      const { from, version = argument } = options;
      if (argument !== undefined && version !== argument) command.error('error: name one version');
      if (from !== undefined)
        return perform(async (context) =>
          (await import('../commands/profile-restore-from.js')).restoreFrom(context, user, {
            ...options,
            from,
            version,
          }),
        );
      if (version === undefined) return command.error('error: name the version to go back to, or a store with --from');
      return perform(async (context) => (await versions()).restoreVersion(context, user, version, options));
    });
  withContext(
    profile
      .command('look')
      .argument('<user>')
      .argument('<version>', 'its number', wholeNumber)
      .argument('[path]', 'a folder below the home; the home unless told', ''),
  )
    .description('what a folder of an older version holds')
    .action((user: string, version: number, path: string, options: ContextOptions) =>
      perform(async (context) => (await looks()).lookIntoVersion(context, user, version, path, options)),
    );
  withContext(
    profile
      .command('take')
      .argument('<user>')
      .argument('<version>', 'its number', wholeNumber)
      .argument('<path>', 'a file below the home, as goldleaf profile look shows it'),
  )
    .description('writes a file of an older version to this computer')
    .option('--output <file>', 'where to; its own name in this folder unless told')
    .action((user: string, version: number, path: string, options: TakeFileOptions) =>
      perform(async (context) => (await looks()).takeFile(context, user, version, path, options)),
    );
  profile
    .command('delete')
    .argument('<user>')
    .description("destroys the keys of a person's profiles, for ever")
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

interface RestoreOptions extends ContextOptions {
  readonly from?: string;
  readonly version?: number;
}

const withContext = (command: Command): Command =>
  command.option('--context <name>', 'which profile, where the person has several');
