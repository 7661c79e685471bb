import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditLog } from '#libs/audit';
import type { BeginProfileLookup, ProfileLookupBegun, ProfileLookupView } from '#libs/contracts';
import { transact } from '#libs/database';
import { JobDispatcher, type JobSink } from '#libs/jobs';
import { DomainError, errors } from '#libs/kernel';
import { type LookupFacts, type LookupKey, type Person, ProfileLookups } from '#libs/profiles';
import { currentCorrelationId } from '#libs/telemetry';
import { ProfileHistory } from './profile-history.js';

/** A version of a profile. */
export interface LookTarget {
  readonly context: string;
  readonly number: number;
}

/** A file of an older version. */
export interface FoundFile {
  /** As it was asked for, without the folders. */
  readonly name: string;
  readonly content: Buffer;
}

const REFUSAL = 'Ask your IT department to look into an earlier version';

/** Looks into older versions of profiles: IT into those of everybody, people into their own where a pool lets them. */
@Injectable()
export class ProfileLooks {
  constructor(
    private readonly dataSource: DataSource,
    private readonly history: ProfileHistory,
    private readonly lookups: ProfileLookups,
    private readonly auditLog: AuditLog,
    @Inject(JobDispatcher) private readonly jobs: JobSink,
  ) {}

  /**
   * Asks a provisioner to look, which takes seconds. What it finds is for this actor only.
   * @throws DomainError `not-found`, `conflict` when the actor waits for many already
   */
  async begin(
    username: string,
    target: LookTarget,
    wanted: BeginProfileLookup,
    actor: string,
  ): Promise<ProfileLookupBegun> {
    const { id: volumeId } = await this.history.volume(username, target.context);
    const { number } = target;
    const id = await transact(this.dataSource, async (unit) => {
      const begun = await this.lookups.begin(unit, { ...wanted, volumeId, number }, actor);
      const entry = {
        ...{ action: 'profile-looked-into' as const, actor, subject: `profile:${username}/${target.context}` },
        ...{ correlationId: currentCorrelationId(), details: { version: number, ...wanted } },
      };
      await this.auditLog.recordAll([entry], unit);
      return begun;
    });
    await this.jobs.enqueue('profile.look', { lookupId: id });
    return { id };
  }

  /** @throws DomainError `not-found`, also when it was asked for by somebody else or is forgotten */
  async view(username: string, target: LookTarget, id: string, actor: string): Promise<ProfileLookupView> {
    const { key, found } = await this.find(username, target, id, actor);
    const folder = found.kind === 'folder' && found.state === 'done' ? await this.lookups.folder(key) : null;
    const { createdAt, ...facts } = found;
    return {
      ...facts,
      entries: folder?.entries ?? null,
      isComplete: folder?.isComplete ?? true,
      createdAt: new Date(createdAt).toISOString(),
    };
  }

  /** @throws DomainError `not-found`, `conflict` when it is not of a file, or not there (yet) */
  async file(username: string, target: LookTarget, id: string, actor: string): Promise<FoundFile> {
    const { key, found } = await this.find(username, target, id, actor);
    const content = await this.lookups.file(key);
    if (!content) throw new DomainError(errors.conflict, 'No file was found by this');
    return { content, name: found.path.replace(/\/+$/, '').split('/').at(-1) ?? '' };
  }

  /** @throws DomainError `forbidden`, as `begin` */
  async beginOwn(person: Person, target: LookTarget, wanted: BeginProfileLookup): Promise<ProfileLookupBegun> {
    await this.history.ownVolume(person, target.context, REFUSAL);
    return this.begin(person.username, target, wanted, person.username);
  }

  /** @throws DomainError `forbidden`, as `view` */
  async viewOwn(person: Person, target: LookTarget, id: string): Promise<ProfileLookupView> {
    await this.history.ownVolume(person, target.context, REFUSAL);
    return this.view(person.username, target, id, person.username);
  }

  /** @throws DomainError `forbidden`, as `file` */
  async fileOwn(person: Person, target: LookTarget, id: string): Promise<FoundFile> {
    await this.history.ownVolume(person, target.context, REFUSAL);
    return this.file(person.username, target, id, person.username);
  }

  private async find(
    username: string,
    { context, number }: LookTarget,
    id: string,
    actor: string,
  ): Promise<{ readonly key: LookupKey; readonly found: LookupFacts }> {
    const { id: volumeId } = await this.history.volume(username, context);
    const key = { id, volumeId, number, requestedBy: actor };
    const found = await this.lookups.find(key);
    if (!found) throw new DomainError(errors.notFound, 'Nobody asked for this, or it was long ago: ask again');
    return { key, found };
  }
}
