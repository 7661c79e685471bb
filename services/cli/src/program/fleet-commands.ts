import type { Command } from 'commander';
import type { Perform } from '../command-work.js';
import type { ListProfilesOptions } from '../commands/fleet.js';

const fleet = () => import('../commands/fleet.js');

/** `goldleaf pool` and `goldleaf profile`. */
export function addFleetCommands(program: Command, perform: Perform): void {
  program
    .command('pool')
    .description('pools')
    .command('list')
    .description('all pools, and how they are')
    .action(() => perform(async (context) => (await fleet()).listPools(context)));
  program
    .command('profile')
    .description("people's roaming profiles")
    .command('list')
    .description('what people get, as of their last logon')
    .option('--user <name>', 'only of this person')
    .action((options: ListProfilesOptions) =>
      perform(async (context) => (await fleet()).listProfiles(context, options)),
    );
}
