import type { Command } from 'commander';
import type { Perform } from '../command-work.js';

const keys = () => import('../commands/key.js');

/** What `goldleaf key` understands. */
export function addKeyCommands(key: Command, perform: Perform): void {
  key
    .command('create')
    .description('makes the key that signs app layers on this host')
    .action(() => perform(async (context) => (await keys()).createKey(context)));
  key
    .command('show')
    .description('its public half, and which keys are trusted here')
    .action(() => perform(async (context) => (await keys()).showKey(context)));
  key
    .command('trust')
    .argument('[file]', 'public keys in PEM form; without it, the key of this host')
    .description('lets the services of this host take layers that a key signed')
    .action((file: string | undefined) => perform(async (context) => (await keys()).trustKey(context, file)));
}
