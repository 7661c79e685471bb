import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import {
  type ProfileLookupFailure,
  type ProfileLookupKind,
  type ProfileLookupState,
  profileEntrySchema,
} from '#libs/contracts';
import { readRows, type UnitOfWork } from '#libs/database';
import { DomainError, errors } from '#libs/kernel';
import { LookupSeal } from './lookup-seal.js';

/** A version of a volume, and what of it somebody wants to see. */
export interface WantedLookup {
  readonly volumeId: string;
  readonly number: number;
  /** As `readPath` takes it. */
  readonly path: string;
  readonly kind: ProfileLookupKind;
}

/** What a provisioner needs to know. */
export interface PendingLookup extends WantedLookup {
  readonly id: string;
  readonly username: string;
  readonly context: string;
  /** In the volume store. */
  readonly versionId: string;
}

/** Where a lookup is to be found: by whom it was asked for, and of what. */
export interface LookupKey extends Pick<WantedLookup, 'volumeId' | 'number'> {
  readonly id: string;
  readonly requestedBy: string;
}

/** A lookup as its requester sees it. */
export interface LookupFacts {
  readonly id: string;
  readonly path: string;
  readonly kind: ProfileLookupKind;
  readonly state: ProfileLookupState;
  readonly failure: ProfileLookupFailure | null;
  readonly createdAt: Date;
}

const folderAnswerSchema = z.object({ entries: z.array(profileEntrySchema), isComplete: z.boolean() });
/** What a folder holds, or as much of it as is shown. */
export type FolderAnswer = z.infer<typeof folderAnswerSchema>;

const KEPT_MINUTES = 10;
/** Provisioners that are there answer within seconds. */
const NO_ANSWER_AFTER_SECONDS = 120;
const WAITING_AT_MOST = 8;
/** Files of one person that are kept for them; who asks for more has taken the ones before. */
const FILES_AT_MOST = 4;

const alive = `lookup.created_at > now() - interval '${KEPT_MINUTES} minutes' AND volume.deleted_at IS NULL
  AND NOT EXISTS (SELECT FROM profile_versions AS version WHERE version.volume_id = lookup.volume_id
                     AND version.number = lookup.number AND version.unwanted_at IS NOT NULL)`;
const ofRequester = `FROM profile_lookups AS lookup JOIN profile_volumes AS volume ON volume.id = lookup.volume_id
  WHERE lookup.id = $1 AND lookup.volume_id = $2 AND lookup.number = $3 AND lookup.requested_by = $4 AND ${alive}`;

/** Looks into older versions of profiles: asked for here, done by a provisioner, and forgotten after ten minutes. */
@Injectable()
export class ProfileLookups {
  constructor(
    private readonly dataSource: DataSource,
    private readonly seal: LookupSeal,
  ) {}

  /**
   * Notes what somebody wants to see. The oldest of the files that were found for them go.
   * @returns its id
   * @throws DomainError `not-found` when the volume has no such version, `conflict` when they wait for many already
   */
  async begin(unit: UnitOfWork, { volumeId, number, path, kind }: WantedLookup, requestedBy: string): Promise<string> {
    const [present] = await unit.rows<{ waiting: number }>(
      `SELECT (SELECT count(*) FROM profile_lookups AS lookup WHERE requested_by = $3 AND state = 'waiting'
                  AND created_at > now() - make_interval(secs => ${NO_ANSWER_AFTER_SECONDS}))::int AS waiting
         FROM profile_versions AS version JOIN profile_volumes AS volume ON volume.id = version.volume_id
        WHERE volume_id = $1 AND number = $2 AND state <> 'writing' AND unwanted_at IS NULL AND volume.deleted_at IS NULL`,
      [volumeId, number, requestedBy],
    );
    if (!present) throw new DomainError(errors.notFound, 'There is no such version');
    if (present.waiting >= WAITING_AT_MOST) {
      throw new DomainError(errors.conflict, 'Wait for what you asked for before, then ask again');
    }
    await unit.rows(
      `DELETE FROM profile_lookups WHERE id IN (
         SELECT id FROM profile_lookups WHERE requested_by = $1 AND kind = 'file' ORDER BY created_at DESC, id
         OFFSET ${FILES_AT_MOST - 1})`,
      [requestedBy],
    );
    const [made] = await unit.rows<{ id: string }>(
      `INSERT INTO profile_lookups (volume_id, number, path, kind, requested_by) VALUES ($1, $2, $3, $4, $5)
       RETURNING id`,
      [volumeId, number, path, kind, requestedBy],
    );
    if (!made) throw new Error('a lookup was not written');
    return made.id;
  }

  /** @returns null when there is none (any more) */
  async find(key: LookupKey): Promise<LookupFacts | null> {
    const [found] = await readRows<LookupFacts>(
      this.dataSource,
      `SELECT lookup.id, path, kind, lookup.created_at AS "createdAt",
              CASE WHEN is_late THEN 'failed' ELSE state END AS state,
              CASE WHEN is_late THEN 'no-answer' ELSE failure END AS failure
         FROM (SELECT lookup.*, state = 'waiting' AND lookup.created_at < now() - make_interval(secs => ${NO_ANSWER_AFTER_SECONDS}) AS is_late
                 ${ofRequester}) AS lookup`,
      [key.id, key.volumeId, key.number, key.requestedBy],
    );
    return found ?? null;
  }

  /** @returns null unless it is of a folder that was found */
  async folder(key: LookupKey): Promise<FolderAnswer | null> {
    const answer = await this.answer(key, 'folder');
    return answer && folderAnswerSchema.parse(JSON.parse(answer.toString()));
  }

  /** @returns null unless it is of a file that was found */
  file(key: LookupKey): Promise<Buffer | null> {
    return this.answer(key, 'file');
  }

  /** @returns null when nobody waits for it any more, or its version is gone */
  async pending(id: string): Promise<PendingLookup | null> {
    const [found] = await readRows<PendingLookup>(
      this.dataSource,
      `SELECT lookup.id, lookup.volume_id AS "volumeId", lookup.number, lookup.path, lookup.kind, profile.username,
              volume.context, version.version_id AS "versionId"
         FROM profile_lookups AS lookup JOIN profile_volumes AS volume ON volume.id = lookup.volume_id
              JOIN profiles AS profile ON profile.id = volume.profile_id
              JOIN profile_versions AS version
                ON version.volume_id = lookup.volume_id AND version.number = lookup.number AND version.state <> 'writing'
        WHERE lookup.id = $1 AND lookup.state = 'waiting' AND ${alive}`,
      [id],
    );
    return found ?? null;
  }

  /** What was found. Nothing happens when nobody waits for it any more. */
  found(id: string, answer: FolderAnswer | Uint8Array): Promise<void> {
    const plain = answer instanceof Uint8Array ? answer : Buffer.from(JSON.stringify(answer));
    return this.end(id, 'done', null, this.seal.seal(id, plain));
  }

  failed(id: string, failure: ProfileLookupFailure): Promise<void> {
    return this.end(id, 'failed', failure, null);
  }

  /** Forgets those that are old, and those of what is not to be seen any more. */
  async sweep(): Promise<void> {
    await readRows(
      this.dataSource,
      `DELETE FROM profile_lookups AS lookup USING profile_volumes AS volume
        WHERE volume.id = lookup.volume_id AND NOT (${alive})`,
    );
  }

  private async answer(key: LookupKey, kind: ProfileLookupKind): Promise<Buffer | null> {
    const [found] = await readRows<{ sealed: Buffer }>(
      this.dataSource,
      `SELECT sealed_answer AS sealed ${ofRequester} AND kind = $5 AND state = 'done'`,
      [key.id, key.volumeId, key.number, key.requestedBy, kind],
    );
    return found ? this.seal.open(key.id, found.sealed) : null;
  }

  private async end(
    id: string,
    state: 'done' | 'failed',
    failure: ProfileLookupFailure | null,
    sealed: Buffer | null,
  ): Promise<void> {
    await readRows(
      this.dataSource,
      `UPDATE profile_lookups AS lookup SET state = $2, failure = $3, sealed_answer = $4 FROM profile_volumes AS volume
        WHERE lookup.id = $1 AND lookup.state = 'waiting' AND volume.id = lookup.volume_id AND ${alive}`,
      [id, state, failure, sealed],
    );
  }
}
