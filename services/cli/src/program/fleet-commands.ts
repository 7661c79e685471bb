import type { Command } from 'commander';
import type { Perform } from '../command-work.js';
import type { GiveUpProfileOptions } from '../commands/desktop.js';
import type { PoolProfileOptions } from '../commands/pool-profile.js';

const fleet = () => import('../commands/fleet.js');
const desktops = () => import('../commands/desktop.js');

/** `goldleaf pool`, `goldleaf desktop` and `goldleaf host`. */
export function addFleetCommands(program: Command, perform: Perform): void {
  const pool = program.command('pool').description('pools');
  pool
    .command('list')
    .description('all pools, and how they are')
    .action(() => perform(async (context) => (await fleet()).listPools(context)));
  pool
    .command('profile')
    .argument('<name>')
    .description('what a pool does with profiles, as a file for --file has it; null: it has none')
    .option('--file <file>', 'has the pool do what this JSON file says, for desktops that are given from now on')
    .action((name: string, options: PoolProfileOptions) =>
      perform(async (context) => (await import('../commands/pool-profile.js')).poolProfile(context, name, options)),
    );
  const desktop = program.command('desktop').description('desktops of people, and spares');
  desktop
    .command('list')
    .description('all desktops that exist, newest first, and what is wrong with their profiles')
    .action(() => perform(async (context) => (await desktops()).listDesktops(context)));
  desktop
    .command('give-up-profile')
    .argument('<id>', 'as goldleaf desktop list shows it')
    .description('lets a desktop go whose profile cannot be saved: what is not saved is lost for ever')
    .option('--yes', 'do not ask')
    .action((id: string, options: GiveUpProfileOptions) =>
      perform(async (context) => (await desktops()).giveUpProfile(context, id, options)),
    );
  const host = program.command('host').description('hypervisor hosts');
  host
    .command('list')
    .description('all hosts, and how they are')
    .action(() => perform(async (context) => (await fleet()).listHosts(context)));
  host
    .command('fence')
    .argument('<name>')
    .description(
      'gives a host up that is dead or cut off: its people get other desktops, with their work as last saved',
    )
    .action((name: string) => perform(async (context) => (await fleet()).fenceHost(context, name)));
  host
    .command('unfence')
    .argument('<name>')
    .description('takes a host back that was given up and has destroyed all its machines; it goes on draining')
    .action((name: string) => perform(async (context) => (await fleet()).unfenceHost(context, name)));
}
