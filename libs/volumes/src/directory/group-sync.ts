import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Batcher } from '#libs/kernel';
import { errorCodeOf } from '../error-code.js';

const run = promisify(execFile);

type Sync = () => Promise<void>;

/** From so many on, one sync of the whole file system costs less than theirs one by one. */
const WORTH_A_SYNCFS = 8;
const MOST_AT_ONCE = 512;

/**
 * Makes files and folders durable together: what is asked for while a sync is under way is covered by the next one.
 * Many at once are one `syncfs` (coreutils' `sync -f`, as Node cannot ask for it), few are an fsync each.
 */
export class GroupSync {
  private readonly batches = new Batcher((syncs: readonly Sync[]) => this.syncAll(syncs), MOST_AT_ONCE);
  private canSyncFs = true;

  /** @param root in the file system of all that is synced */
  constructor(private readonly root: string) {}

  /** Resolves when what `sync` would make durable is. It is called once at most, as the kernel tells an error only once. */
  async durable(sync: Sync): Promise<void> {
    const end = await this.batches.add(sync);
    if (end?.status === 'rejected') throw end.reason;
  }

  private async syncAll(syncs: readonly Sync[]): Promise<readonly (PromiseSettledResult<void> | undefined)[]> {
    if (this.canSyncFs && syncs.length >= WORTH_A_SYNCFS) {
      try {
        await run('sync', ['-f', this.root], { env: {}, timeout: 60_000 });
        return syncs.map(() => undefined);
      } catch (error) {
        // Without such a program; any other failure is told by the fsync that meets it.
        if (errorCodeOf(error) === 'ENOENT') this.canSyncFs = false;
      }
    }
    return Promise.allSettled(syncs.map((sync) => sync()));
  }
}
