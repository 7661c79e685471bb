import { Command, InvalidArgumentError, Option, type OutputConfiguration } from 'commander';
import { appModeSchema, appRingSchema } from '#libs/contracts';
import type { CommandContext } from './command-context.js';
import type { CommandResult } from './command-result.js';
import type { AssignOptions, WithdrawOptions } from './commands/app.js';
import type { BuildAppOptions } from './commands/app-build.js';
import type { ListProfilesOptions } from './commands/fleet.js';
import type { BuildImageOptions, ImportImageOptions } from './commands/image-import.js';
import type { LoginOptions } from './commands/login.js';
import type { FsckCommandOptions, GcCommandOptions } from './commands/store.js';

export interface GlobalOptions {
  readonly json?: boolean;
  readonly url?: string;
}

/** What a command does. Commands load their code when they run, so that each starts fast. */
export type CommandWork = (context: CommandContext) => Promise<CommandResult>;

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
  const perform = (work: CommandWork) => run(work, program.opts<GlobalOptions>());
  addSignIn(program, perform);
  addApps(program.command('app').description('applications: layers, versions, who gets what'), perform);
  addImages(program.command('image').description('golden images'), perform);
  addFleet(program, perform);
  addStore(program.command('store').description('the volume store; on a host that has its credentials'), perform);
  addKeys(program.command('key').description('keys that sign app layers; on the host that builds them'), perform);
  return program;
}

type Perform = (work: CommandWork) => Promise<void>;

function addSignIn(program: Command, perform: Perform): void {
  program
    .command('login')
    .description('signs in; the token is kept in a file that only you can read')
    .requiredOption('--username <name>', 'your name in the directory')
    .option('--password-file <file>', 'file that holds the password; - is standard input')
    .addHelpText('after', '\nThe password is asked for, or read from standard input when that is no terminal.')
    .action((options: LoginOptions) =>
      perform(async (context) => (await import('./commands/login.js')).login(context, options)),
    );
  program
    .command('logout')
    .description('signs out, and removes the token')
    .action(() => perform(async (context) => (await import('./commands/login.js')).logout(context)));
}

const apps = () => import('./commands/app.js');

function addApps(app: Command, perform: Perform): void {
  app
    .command('list')
    .description('all applications')
    .action(() => perform(async (context) => (await apps()).listApps(context)));
  app
    .command('show')
    .argument('<name>')
    .description('versions and assignments of an application')
    .action((name: string) => perform(async (context) => (await apps()).showApp(context, name)));
  app
    .command('build')
    .argument('<recipe-dir>', 'folder with recipe.json')
    .description('builds a layer on top of a golden image, signs, stores and registers it; as root on the provisioner')
    .addOption(new Option('--image <name>', 'golden image to build on: its newest version here').conflicts('imageDir'))
    .option('--image-dir <dir>', 'folder of a golden image to build on')
    .option('--output <dir>', 'where to keep what was built')
    .addOption(ringOption('ring that gets the version').default('broad'))
    .option('--no-publish', 'only build; goldleaf app publish does the rest')
    .action((recipeDir: string, options: BuildAppOptions) =>
      perform(async (context) => (await import('./commands/app-build.js')).buildApp(context, recipeDir, options)),
    );
  app
    .command('publish')
    .argument('<dir>', 'folder that goldleaf app build made')
    .description('signs, stores and registers a layer that was built before; after a failure it goes on where it was')
    .addOption(ringOption('ring that gets the version').default('broad'))
    .action((dir: string, options: { ring: BuildAppOptions['ring'] }) =>
      perform(async (context) => (await import('./commands/app-publish.js')).publishApp(context, dir, options)),
    );
  app
    .command('assign')
    .argument('<name>')
    .argument('<role>', 'group of the directory')
    .description('gives an application to the people of a role, from their next logon on')
    .option('--version <number>', 'always this version', wholeNumber)
    .addOption(ringOption('the newest version of this ring (default: "broad")'))
    .addOption(
      new Option('--mode <mode>', 'when it is attached: at logon, or at its first start')
        .choices(appModeSchema.options)
        .default('at-logon'),
    )
    .option('--allowed', 'people choose it themselves')
    .option('--now', 'also on the desktops of people who are in a session now')
    .action((name: string, role: string, options: AssignOptions) =>
      perform(async (context) => (await apps()).assignApp(context, name, role, options)),
    );
  app
    .command('withdraw')
    .argument('<name>')
    .argument('[role]', 'role to take it from')
    .description('takes an application from a role, or one version from everybody')
    .option('--version <number>', 'the version to take from everybody', wholeNumber)
    .option('--now', 'also from the desktops of people who are in a session now')
    .action((name: string, role: string | undefined, options: WithdrawOptions) =>
      perform(async (context) => (await apps()).withdrawApp(context, name, role, options)),
    );
  app
    .command('promote')
    .argument('<name>')
    .argument('<version>', 'its number', wholeNumber)
    .description('gives a version of the ring pilot to all')
    .action((name: string, version: number) =>
      perform(async (context) => (await apps()).promoteApp(context, name, version)),
    );
}

const images = () => import('./commands/image.js');
const imageImport = () => import('./commands/image-import.js');

function addImages(image: Command, perform: Perform): void {
  image
    .command('list')
    .description('golden images and their versions')
    .action(() => perform(async (context) => (await images()).listImages(context)));
  image
    .command('build')
    .argument('<recipe-dir>', 'folder with recipe.json')
    .description('builds a golden image and imports it; as root on a provisioner')
    .option('--title <text>', 'as IT reads it')
    .option('--no-import', 'only build; goldleaf image import does the rest')
    .option('--no-wait', 'do not stay until new desktops start from it')
    .action((recipeDir: string, options: BuildImageOptions) =>
      perform(async (context) => (await imageImport()).buildImage(context, recipeDir, options)),
    );
  image
    .command('import')
    .argument('<dir>', 'folder of a golden image that was built')
    .description('takes a golden image into the store, and into use once hosts are ready for it; on a provisioner')
    .option('--title <text>', 'as IT reads it')
    .option('--no-wait', 'do not stay until new desktops start from it')
    .action((dir: string, options: ImportImageOptions) =>
      perform(async (context) => (await imageImport()).importImage(context, dir, options)),
    );
  image
    .command('publish')
    .argument('<name>')
    .argument('<version>', 'its number', wholeNumber)
    .description('has new desktops start from a version')
    .action((name: string, version: number) =>
      perform(async (context) => (await images()).publishImage(context, name, version)),
    );
  image
    .command('rollback')
    .argument('<name>')
    .argument('[version]', 'an earlier version that served; else the one that served before', wholeNumber)
    .description('takes the version that serves back')
    .action((name: string, version: number | undefined) =>
      perform(async (context) => (await images()).rollBackImage(context, name, version)),
    );
}

const fleet = () => import('./commands/fleet.js');

function addFleet(program: Command, perform: Perform): void {
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

const store = () => import('./commands/store.js');

function addStore(parent: Command, perform: Perform): void {
  parent
    .command('usage')
    .description('what each volume takes')
    .action(() => perform(async (context) => (await store()).storeUsage(context)));
  parent
    .command('fsck')
    .description('reads everything and names what is missing or damaged; exit code 1 when anything is')
    .option('--quick', 'only look whether everything is there')
    .option('--remove-damaged', 'remove damaged chunks, so that publishing the same content again heals them')
    .action((options: FsckCommandOptions) => perform(async (context) => (await store()).storeFsck(context, options)));
  parent
    .command('gc')
    .description('frees what no version needs')
    .option('--dry-run', 'only say what would be freed')
    .action((options: GcCommandOptions) => perform(async (context) => (await store()).storeGc(context, options)));
}

const keys = () => import('./commands/key.js');

function addKeys(key: Command, perform: Perform): void {
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

const ringOption = (description: string): Option =>
  new Option('--ring <ring>', description).choices(appRingSchema.options);

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Expected a whole number from 1.');
  return Number(text);
}
