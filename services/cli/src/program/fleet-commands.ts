import type { Command } from 'commander';
import type { Perform } from '../command-work.js';

const fleet = () => import('../commands/fleet.js');

/** `goldleaf pool` and `goldleaf host`. */
export function addFleetCommands(program: Command, perform: Perform): void {
  program
    .command('pool')
    .description('pools')
    .command('list')
    .description('all pools, and how they are')
    .action(() => perform(async (context) => (await fleet()).listPools(context)));
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
