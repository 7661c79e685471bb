import type { Command } from 'commander';
import type { Perform } from '../command-work.js';
import type { FsckCommandOptions, GcCommandOptions } from '../commands/store.js';
import type { ReplicateCommandOptions } from '../commands/store-replicate.js';

const store = () => import('../commands/store.js');

/** What `goldleaf store` understands. */
export function addStoreCommands(parent: Command, perform: Perform): void {
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
  parent
    .command('replicate')
    .argument('<target-url>', 'file:///folder, or s3://bucket/prefix?endpoint=...&region=...')
    .description('copies what another store lacks there, encrypted profiles without their keys; repeat it to go on')
    .option('--volumes <prefix>', 'only this volume and those below it, e.g. profiles')
    .addHelpText(
      'after',
      '\nKeys of an S3 target: GOLDLEAF_TARGET_STORE_ACCESS_KEY and GOLDLEAF_TARGET_STORE_SECRET_KEY.',
    )
    .action((target: string, options: ReplicateCommandOptions) =>
      perform(async (context) =>
        (await import('../commands/store-replicate.js')).storeReplicate(context, target, options),
      ),
    );
}
