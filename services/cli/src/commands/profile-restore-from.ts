import { pino } from 'pino';
import type { ProfileImportView, ProfileRecord } from '#libs/contracts';
import { IMPORTS_VOLUME, ProfileRecords } from '#libs/profiles';
import { type CopiedVersion, copyVersion, type ObjectStore } from '#libs/volumes';
import type { CommandContext } from '../command-context.js';
import type { CommandResult } from '../command-result.js';
import { chooseRecord } from '../profiles/choose-record.js';
import { watchProfileImport } from '../profiles/watch-profile-import.js';
import { withTargetStore } from '../store/with-target-store.js';
import { withVolumeStore } from '../store/with-volume-store.js';
import { bytes, count } from '../text/format.js';

export interface RestoreFromOptions {
  /** URL of the store. */
  readonly from: string;
  readonly context?: string;
  /** Its number there; the newest without. */
  readonly version?: number | undefined;
}

/**
 * Brings a version of a person's profile from another store: copies what the own one lacks of it, and has it made the
 * newest here. Where nobody knows the profile, as in the database of a new site, it is made.
 */
export async function restoreFrom(
  context: CommandContext,
  username: string,
  { from, context: profile, version }: RestoreFromOptions,
): Promise<CommandResult> {
  const { env, messages } = context;
  // What would fail after minutes of copying is found out before.
  const broker = await context.broker();
  await broker.profileLimits();
  return withVolumeStore(env, { mustExist: false }, ({ objects }) =>
    withTargetStore(env, from, null, async (other) => {
      messages.progress('looking for the profile', 0);
      const volumes = await new ProfileRecords(other).ofPerson(username, context.signal);
      const { record, after } = chooseRecord(volumes, { username, context: profile, version });
      const copied = await copyRecorded(context, other, objects, record);
      messages.progress('a provisioner imports it', 0.95);
      const asked = await broker.importProfile(username, record.context, { record, after });
      return resultOf(await watchProfileImport(broker, asked, context), copied);
    }),
  );
}

function copyRecorded(
  { messages, signal }: CommandContext,
  from: ObjectStore,
  to: ObjectStore,
  { versionId }: ProfileRecord,
): Promise<CopiedVersion> {
  messages.progress('copying what is missing here', 0.1);
  return copyVersion(from, to, versionId, IMPORTS_VOLUME, { logger: pino({ level: 'silent' }), signal });
}

function resultOf(done: ProfileImportView, { copiedChunks, copiedBytes, skippedChunks }: CopiedVersion): CommandResult {
  const { username, context, from, number } = done;
  return {
    document: { username, context, restoredFrom: from, number, copiedChunks, copiedBytes, skippedChunks },
    text:
      `${username}'s profile "${context}" is as version ${from} there; here it is version ${number}. ` +
      `Copied ${count(copiedChunks, 'chunk')} (${bytes(copiedBytes)}), ${skippedChunks} were here already`,
  };
}
