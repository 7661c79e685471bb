import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { SignedAppLayer } from '#libs/contracts';
import { readRows } from '#libs/database';

/** A version of an application as it was registered; to be verified before every use. */
export interface VersionDocument {
  readonly versionId: string;
  /** Of the application. */
  readonly name: string;
  readonly document: SignedAppLayer;
}

/** Of a row of `app_versions`: its document as it was registered. */
export const signedDocument = "jsonb_build_object('payload', payload, 'signature', signature, 'keyId', key_id)";

/** The signed documents of versions, whoever should have them. */
@Injectable()
export class VersionDocuments {
  constructor(private readonly dataSource: DataSource) {}

  /** Those there are of these, in no special order. */
  of(versionIds: readonly string[]): Promise<VersionDocument[]> {
    return readRows<VersionDocument>(
      this.dataSource,
      `SELECT app_versions.id AS "versionId", apps.name,
              ${signedDocument} AS document
         FROM app_versions JOIN apps ON apps.id = app_id WHERE app_versions.id = ANY($1)`,
      [versionIds],
    );
  }
}
