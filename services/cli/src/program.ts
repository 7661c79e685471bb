import { Command, type OutputConfiguration } from 'commander';
import type { CommandWork, Perform } from './command-work.js';
import { addAppCommands } from './program/app-commands.js';
import { addFleetCommands } from './program/fleet-commands.js';
import { addImageCommands } from './program/image-commands.js';
import { addKeyCommands } from './program/key-commands.js';
import { addProfileCommands } from './program/profile-commands.js';
import { addSignInCommands } from './program/sign-in-commands.js';
import { addStoreCommands } from './program/store-commands.js';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly url?: string;
}

/** Runs a command that was parsed. */
export type RunCommand = (work: CommandWork, options: GlobalOptions) => Promise<void>;

/** The command line's words. Faults are thrown as CommanderError; nothing ends the process. */
export function createProgram(run: RunCommand, output: OutputConfiguration): Command {
  const program = new Command('goldleaf')
    .description("The operators' command line of Goldleaf, a client of its API")
    .configureOutput(output)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .option('--json', 'print one JSON document on standard output, and everything else on standard error')
    .option('--url <url>', 'where the broker is (GOLDLEAF_URL; else where you signed in last)');
  const perform: Perform = (work) => run(work, program.opts<GlobalOptions>());
  addSignInCommands(program, perform);
  addAppCommands(program.command('app').description('applications: layers, versions, who gets what'), perform);
  addImageCommands(program.command('image').description('golden images'), perform);
  addFleetCommands(program, perform);
  addProfileCommands(program.command('profile').description("people's roaming profiles"), perform);
  addStoreCommands(
    program.command('store').description('the volume store; on a host that has its credentials'),
    perform,
  );
  addKeyCommands(
    program.command('key').description('keys that sign app layers; on the host that builds them'),
    perform,
  );
  return program;
}
