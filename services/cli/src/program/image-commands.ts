import type { Command } from 'commander';
import type { Perform } from '../command-work.js';
import type { BuildImageOptions, ImportImageOptions } from '../commands/image-import.js';
import { wholeNumber } from './whole-number.js';

const images = () => import('../commands/image.js');
const imageImport = () => import('../commands/image-import.js');

/** What `goldleaf image` understands. */
export function addImageCommands(image: Command, perform: Perform): void {
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
