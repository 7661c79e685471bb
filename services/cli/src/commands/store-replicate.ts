import { pino } from 'pino';
import { type ReplicatedStore, replicateStore } from '#libs/profiles';
import { type NotReplicated, type Replicated, VolumeStore } from '#libs/volumes';
import type { CommandContext } from '../command-context.js';
import type { CommandResult } from '../command-result.js';
import { withTargetStore } from '../store/with-target-store.js';
import { withVolumeStore } from '../store/with-volume-store.js';
import { bytes, count } from '../text/format.js';

export interface ReplicateCommandOptions {
  /** Only this volume and those below it. */
  readonly volumes?: string;
}

/** Brings what another store lacks there; exit code 1 when versions had to be left out. */
export function storeReplicate(
  context: CommandContext,
  target: string,
  { volumes: prefix }: ReplicateCommandOptions,
): Promise<CommandResult> {
  const { env, messages, signal } = context;
  return withVolumeStore(env, { mustExist: true }, ({ config, objects, volumes }) =>
    withTargetStore(env, target, config.store.url, async (to) => {
      messages.progress('comparing the stores', 0);
      const logger = pino({ level: 'silent' });
      const missing = await countMissing(volumes, new VolumeStore({ objects: to, logger }), prefix);
      messages.progress('copying what is missing', 0);
      const replicated = await replicateStore(objects, to, {
        ...{ logger, signal },
        ...(prefix !== undefined && { volumes: prefix }),
        onProgress: ({ versions }) => messages.progress('copying what is missing', versions / Math.max(1, missing)),
      });
      return {
        document: replicated,
        text: replicatedText(replicated),
        exitCode: replicated.notReplicated.length + replicated.records.damaged > 0 ? 1 : 0,
      };
    }),
  );
}

async function countMissing(here: VolumeStore, there: VolumeStore, prefix: string | undefined): Promise<number> {
  const key = ({ volume, number }: { volume: string; number: number }) => `${volume}/${number}`;
  const [ours, theirs] = await Promise.all([here.listVersions(), there.listVersions()]);
  const known = new Set(theirs.map(key));
  const concerned = ours.filter(
    ({ volume }) => prefix === undefined || volume === prefix || volume.startsWith(`${prefix}/`),
  );
  return concerned.filter((version) => !known.has(key(version))).length;
}

function replicatedText({ records, ...replicated }: ReplicatedStore): string {
  const { copied, removed, damaged, kept } = records;
  const lines = [versionsText(replicated)];
  if (copied + removed > 0)
    lines.push(
      `${count(copied, 'record')} of profiles copied, ${count(removed, 'record')} of dropped and destroyed ones removed there`,
    );
  if (damaged > 0) lines.push(`${count(damaged, 'record')} of profiles damaged here, and not copied`);
  if (kept > 0) lines.push(`${count(kept, 'record')} that this store does not have, and has not dropped, kept there`);
  return lines.join('\n');
}

function versionsText({ versions, copiedChunks, copiedBytes, skippedChunks, notReplicated }: Replicated): string {
  const copied = `${count(copiedChunks, 'chunk')} (${bytes(copiedBytes)})`;
  const done =
    versions === 0 && notReplicated.length === 0
      ? 'Nothing was missing there'
      : `${count(versions, 'version')} copied: ${copied}; ${count(skippedChunks, 'chunk')} ${skippedChunks === 1 ? 'was' : 'were'} there already`;
  if (notReplicated.length === 0) return done;
  return [`${done}; ${count(notReplicated.length, 'version')} left out:`, ...notReplicated.map(leftOutText)].join('\n');
}

const leftOutText = ({ volume, number, reason }: NotReplicated): string =>
  reason === 'version-exists'
    ? `${volume} version ${number}: the other store has, or had, something else under that number`
    : `${volume} version ${number}: ${reason} here; goldleaf store fsck says more`;
