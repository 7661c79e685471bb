import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { readRows, transact, type UnitOfWork } from '#libs/database';
import { DomainError, errors } from '#libs/kernel';
import type { ReadRows } from '../app-choices.js';
import { ProfileKeyError, type ProfileKeys } from '../keys/profile-keys.js';
import { bringBack, type FoundVolume } from './bring-back.js';
import { DEFAULT_SIZE_MIB } from './default-size.js';
import { DESTROYED_HERE } from './import-refused.js';

/** The profile of a person in a context. */
export interface ProfileVolume {
  readonly id: string;
  readonly username: string;
  readonly context: string;
  /** What the person's roles allow; it grows when they allow more, and never gets smaller. */
  readonly sizeMib: number;
  /** For `ProfileKeys.unwrap`. */
  readonly wrappedKey: Buffer;
}

/** Where a volume is to be found. */
export interface ProfileVolumeKey {
  readonly username: string;
  readonly context: string;
}

/** What became of the keys of volumes when the master key was changed. */
export interface RewrappedKeys {
  /** How many were wrapped anew now. */
  readonly rewrapped: number;
  /** Volumes whose keys no master key of the configuration opens: they stay as they are. */
  readonly unopened: readonly string[];
}

/** In the volume store. */
export const profileVolumeName = (volumeId: string): string => `profiles/${volumeId}`;

/** Under which versions of another store lie in the volume store until they are imported. */
export const IMPORTS_VOLUME = 'profile-imports';

const columns = `volume.id, profile.username, volume.context, volume.wrapped_key AS "wrappedKey",
  greatest(volume.size_mib, coalesce((SELECT max(size_mib) FROM profile_limits WHERE role = ANY(profile.roles)),
                                     ${DEFAULT_SIZE_MIB})) AS "sizeMib"`;

const REWRAP_AT_A_TIME = 200;

/** The volumes of people's profiles, each with a key of its own. */
@Injectable()
export class ProfileVolumes {
  constructor(private readonly dataSource: DataSource) {}

  async find(key: ProfileVolumeKey): Promise<ProfileVolume | null> {
    const found = await findVolume((sql, parameters) => readRows(this.dataSource, sql, parameters), key);
    return found?.volume ?? null;
  }

  /**
   * The person's volume of the context; one is made at the first use.
   * @param wrappedKeyOf makes a key for a new volume: `ProfileKeys.make`
   * @throws DomainError `not-found` for somebody who never logged on
   */
  findOrMake(key: ProfileVolumeKey, wrappedKeyOf: (volumeId: string) => Buffer): Promise<ProfileVolume> {
    return transact(this.dataSource, async (unit) => {
      const found = await findVolume((sql, parameters) => unit.rows(sql, parameters), key);
      if (found) {
        if (found.hasGrown) await keepSize(unit, found.volume);
        return found.volume;
      }
      const id = randomUUID();
      await unit.rows(
        // Of two that make it one waits for the other, and finds that one's below.
        `WITH made AS (
           INSERT INTO profile_volumes (id, profile_id, context, size_mib, wrapped_key)
           SELECT $1, id, $3, coalesce((SELECT max(size_mib) FROM profile_limits WHERE role = ANY(profiles.roles)),
                                       ${DEFAULT_SIZE_MIB}), $4 FROM profiles WHERE username = $2
           ON CONFLICT (profile_id, context) WHERE deleted_at IS NULL DO NOTHING RETURNING id)
         INSERT INTO profile_leases (volume_id) SELECT id FROM made`,
        [id, key.username, key.context, wrappedKeyOf(id)],
      );
      const made = await findVolume((sql, parameters) => unit.rows(sql, parameters), key);
      if (!made) throw new DomainError(errors.notFound, `"${key.username}" has no profile yet`);
      return made.volume;
    });
  }

  /**
   * Destroys the keys of all volumes of a person, or of one context, also in imports that were asked for: no version of
   * them can be read here again, nor in a replica once the store was replicated to it. Whoever writes them loses the
   * lease. Their next logon makes a new, empty volume.
   * @returns the volumes, and the desktops that had leases: their sessions keep nothing any more
   */
  async destroy(
    unit: UnitOfWork,
    username: string,
    context: string | null = null,
  ): Promise<{ readonly volumeIds: readonly string[]; readonly desktopIds: readonly string[] }> {
    const held = await unit.rows<{ volumeId: string; desktopId: string | null }>(
      `SELECT lease.volume_id AS "volumeId", lease.desktop_id AS "desktopId" FROM profile_leases AS lease
         JOIN profile_volumes AS volume ON volume.id = lease.volume_id
         JOIN profiles AS profile ON profile.id = volume.profile_id
        WHERE profile.username = $1 AND ($2::text IS NULL OR volume.context = $2) AND volume.deleted_at IS NULL
        ORDER BY lease.volume_id FOR UPDATE OF lease, volume`,
      [username, context],
    );
    const volumeIds = held.map(({ volumeId }) => volumeId);
    await unit.rows('UPDATE profile_volumes SET wrapped_key = NULL, deleted_at = now() WHERE id = ANY($1)', [
      volumeIds,
    ]);
    await unit.rows(
      `UPDATE profile_leases SET fence = fence + 1, desktop_id = NULL, host = NULL, served_number = NULL
        WHERE volume_id = ANY($1)`,
      [volumeIds],
    );
    await unit.rows('DELETE FROM profile_lookups WHERE volume_id = ANY($1)', [volumeIds]);
    await unit.rows(
      `UPDATE profile_imports SET state = 'refused', problem = $2, record = record - 'wrappedKey' - 'seal'
        WHERE state = 'asked' AND record ->> 'volumeId' = ANY($1)`,
      [volumeIds, DESTROYED_HERE],
    );
    return { volumeIds, desktopIds: held.flatMap(({ desktopId }) => desktopId ?? []) };
  }

  /** Ids of deleted volumes that may still have names in the volume store. */
  async toErase(): Promise<string[]> {
    const rows = await readRows<{ id: string }>(
      this.dataSource,
      `SELECT id FROM profile_volumes WHERE deleted_at IS NOT NULL
          AND EXISTS (SELECT FROM profile_versions WHERE volume_id = id) ORDER BY deleted_at`,
    );
    return rows.map(({ id }) => id);
  }

  /** Ids of volumes with versions that nobody wants. */
  async withUnwanted(): Promise<string[]> {
    const rows = await readRows<{ id: string }>(
      this.dataSource,
      `SELECT id FROM profile_volumes WHERE deleted_at IS NULL
          AND EXISTS (SELECT FROM profile_versions WHERE volume_id = id AND unwanted_at IS NOT NULL) ORDER BY id`,
    );
    return rows.map(({ id }) => id);
  }

  /** Null when there is none (any more). */
  async byId(volumeId: string): Promise<(ProfileVolume & { readonly lastNumber: number }) | null> {
    const [found] = await readRows<ProfileVolume & { lastNumber: number }>(
      this.dataSource,
      `SELECT ${columns}, volume.last_number AS "lastNumber"
         FROM profile_volumes AS volume JOIN profiles AS profile ON profile.id = volume.profile_id
        WHERE volume.id = $1 AND volume.deleted_at IS NULL`,
      [volumeId],
    );
    return found ?? null;
  }

  /**
   * A volume of another store is the person's here too: found, or made with its id and key.
   * @throws ImportRefused
   */
  bringBack(found: FoundVolume): Promise<void> {
    return transact(this.dataSource, (unit) => bringBack(unit, found));
  }

  /** All names of a deleted volume are gone from the volume store. */
  async erased(volumeId: string): Promise<void> {
    await readRows(
      this.dataSource,
      `DELETE FROM profile_versions USING profile_volumes
        WHERE volume_id = $1 AND profile_volumes.id = volume_id AND deleted_at IS NOT NULL`,
      [volumeId],
    );
  }

  /** Ids of all volumes that people have. */
  async all(): Promise<string[]> {
    const rows = await readRows<{ id: string }>(
      this.dataSource,
      'SELECT id FROM profile_volumes WHERE deleted_at IS NULL ORDER BY id',
    );
    return rows.map(({ id }) => id);
  }

  /**
   * Wraps all keys that a former master key has wrapped under the present one. Safe to repeat and to interrupt, and on
   * several hosts at once.
   */
  async rewrapKeys(keys: Pick<ProfileKeys, 'isCurrent' | 'rewrap'>): Promise<RewrappedKeys> {
    let rewrapped = 0;
    const unopened: string[] = [];
    for (let after = '00000000-0000-0000-0000-000000000000'; ; ) {
      const batch = await transact(this.dataSource, async (unit) => {
        const rows = await unit.rows<{ id: string; wrappedKey: Buffer }>(
          `SELECT id, wrapped_key AS "wrappedKey" FROM profile_volumes WHERE wrapped_key IS NOT NULL AND id > $1
            ORDER BY id LIMIT ${REWRAP_AT_A_TIME} FOR NO KEY UPDATE`,
          [after],
        );
        const old = rows.filter(({ wrappedKey }) => !keys.isCurrent(wrappedKey));
        const without: string[] = [];
        for (const { id, wrappedKey } of old) {
          const renewed = rewrapOrNull(keys, id, wrappedKey);
          if (renewed) await unit.rows('UPDATE profile_volumes SET wrapped_key = $2 WHERE id = $1', [id, renewed]);
          else without.push(id);
        }
        return { last: rows.at(-1)?.id, count: old.length - without.length, without };
      });
      rewrapped += batch.count;
      unopened.push(...batch.without);
      if (batch.last === undefined) return { rewrapped, unopened };
      after = batch.last;
    }
  }
}

/** Null when no master key opens it. */
function rewrapOrNull(keys: Pick<ProfileKeys, 'rewrap'>, volumeId: string, wrappedKey: Buffer): Buffer | null {
  try {
    return keys.rewrap(volumeId, wrappedKey);
  } catch (error) {
    if (error instanceof ProfileKeyError) return null;
    throw error;
  }
}

async function findVolume(rows: ReadRows, { username, context }: ProfileVolumeKey) {
  const [found] = await rows<ProfileVolume & { storedMib: number }>(
    `SELECT ${columns}, volume.size_mib AS "storedMib"
       FROM profile_volumes AS volume JOIN profiles AS profile ON profile.id = volume.profile_id
      WHERE profile.username = $1 AND volume.context = $2 AND volume.deleted_at IS NULL`,
    [username, context],
  );
  if (!found) return undefined;
  const { storedMib, ...volume } = found;
  return { volume, hasGrown: volume.sizeMib > storedMib };
}

async function keepSize(unit: UnitOfWork, { id, sizeMib }: ProfileVolume): Promise<void> {
  await unit.rows('UPDATE profile_volumes SET size_mib = greatest(size_mib, $2) WHERE id = $1', [id, sizeMib]);
}
