import { type Command, Option } from 'commander';
import { appModeSchema, appRingSchema } from '#libs/contracts';
import type { Perform } from '../command-work.js';
import type { AssignOptions, WithdrawOptions } from '../commands/app.js';
import type { BuildAppOptions } from '../commands/app-build.js';
import { wholeNumber } from './whole-number.js';

const apps = () => import('../commands/app.js');

/** What `goldleaf app` understands. */
export function addAppCommands(app: Command, perform: Perform): void {
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
      perform(async (context) => (await import('../commands/app-build.js')).buildApp(context, recipeDir, options)),
    );
  app
    .command('publish')
    .argument('<dir>', 'folder that goldleaf app build made')
    .description('signs, stores and registers a layer that was built before; after a failure it goes on where it was')
    .addOption(ringOption('ring that gets the version').default('broad'))
    .action((dir: string, options: { ring: BuildAppOptions['ring'] }) =>
      perform(async (context) => (await import('../commands/app-publish.js')).publishApp(context, dir, options)),
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

const ringOption = (description: string): Option =>
  new Option('--ring <ring>', description).choices(appRingSchema.options);
