import type { Command } from 'commander';
import type { Perform } from '../command-work.js';
import type { LoginOptions } from '../commands/login.js';

/** `goldleaf login` and `goldleaf logout`. */
export function addSignInCommands(program: Command, perform: Perform): void {
  program
    .command('login')
    .description('signs in; the token is kept in a file that only you can read')
    .requiredOption('--username <name>', 'your name in the directory')
    .option('--password-file <file>', 'file that holds the password; - is standard input')
    .addHelpText('after', '\nThe password is asked for, or read from standard input when that is no terminal.')
    .action((options: LoginOptions) =>
      perform(async (context) => (await import('../commands/login.js')).login(context, options)),
    );
  program
    .command('logout')
    .description('signs out, and removes the token')
    .action(() => perform(async (context) => (await import('../commands/login.js')).logout(context)));
}
