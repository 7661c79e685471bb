import type { UnitOfWork } from '#libs/database';
import { DESTROYED_HERE, ImportRefused } from './import-refused.js';

/** A volume as the record of another store has it. */
export interface FoundVolume {
  readonly id: string;
  readonly username: string;
  readonly context: string;
  readonly sizeMib: number;
  /** Under the present master key. */
  readonly wrappedKey: Buffer;
  /** The highest number that was given there: those given here come after. */
  readonly after: number;
  /** Whether this is the same key: otherwise nothing of the one store can be read with the key of the other. */
  isSameKey(wrappedKey: Buffer): boolean;
}

interface KnownVolume {
  readonly username: string;
  readonly context: string;
  /** Null: destroyed. */
  readonly wrappedKey: Buffer | null;
}

/** See `ProfileVolumes.bringBack`. */
export async function bringBack(unit: UnitOfWork, found: FoundVolume): Promise<void> {
  const { id, username, context, sizeMib, after } = found;
  const [known] = await unit.rows<KnownVolume>(
    `SELECT profile.username, volume.context, volume.wrapped_key AS "wrappedKey"
       FROM profile_volumes AS volume JOIN profiles AS profile ON profile.id = volume.profile_id
      WHERE volume.id = $1 FOR NO KEY UPDATE OF volume`,
    [id],
  );
  if (!known) return make(unit, found);
  if (known.wrappedKey === null) throw new ImportRefused(DESTROYED_HERE);
  if (known.username !== username || known.context !== context) {
    throw new ImportRefused(`This profile is "${known.context}" of ${known.username} here`);
  }
  if (!found.isSameKey(known.wrappedKey)) throw new ImportRefused('This profile has another key here');
  await unit.rows(
    'UPDATE profile_volumes SET last_number = greatest(last_number, $2), size_mib = greatest(size_mib, $3) WHERE id = $1',
    [id, after, sizeMib],
  );
}

async function make(
  unit: UnitOfWork,
  { id, username, context, sizeMib, wrappedKey, after }: FoundVolume,
): Promise<void> {
  // Of somebody who never logged on here the roles are not known yet.
  await unit.rows("INSERT INTO profiles (username, roles) VALUES ($1, '{}') ON CONFLICT (username) DO NOTHING", [
    username,
  ]);
  const made = await unit.rows(
    `WITH made AS (
       INSERT INTO profile_volumes (id, profile_id, context, size_mib, wrapped_key, last_number)
       SELECT $1, id, $3, $4, $5, $6 FROM profiles WHERE username = $2
       ON CONFLICT (profile_id, context) WHERE deleted_at IS NULL DO NOTHING RETURNING id)
     INSERT INTO profile_leases (volume_id) SELECT id FROM made RETURNING volume_id`,
    [id, username, context, sizeMib, wrappedKey, after],
  );
  if (made.length > 0) return;
  throw new ImportRefused(
    `${username} has another profile "${context}" here: destroy that one first (goldleaf profile delete)`,
  );
}
