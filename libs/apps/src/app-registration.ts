import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditLog } from '#libs/audit';
import type { AppLayerManifest, AppView, RegisterAppVersion, SignedAppLayer } from '#libs/contracts';
import { transact, type UnitOfWork } from '#libs/database';
import { DomainError, errors } from '#libs/kernel';
import { AppCatalogue } from './app-catalogue.js';
import { auditApp } from './audit-app.js';
import { LayerVerifier } from './layer-verifier.js';

/** Takes signed layers into the catalogue. */
@Injectable()
export class AppRegistration {
  constructor(
    private readonly dataSource: DataSource,
    private readonly catalogue: AppCatalogue,
    private readonly verifier: LayerVerifier,
    private readonly auditLog: AuditLog,
  ) {}

  /**
   * Adds a version of an application, and the application with its first. The same volume again is the same version:
   * its ring and state stay, the document is replaced, as after a change of keys.
   * @throws DomainError `layer-untrusted`, `invalid-request` when the document is of another application
   */
  async register(name: string, { layer, ring }: RegisterAppVersion, actor: string): Promise<AppView> {
    const manifest = await this.verifier.verify(layer);
    if (manifest.name !== name) {
      throw new DomainError(errors.invalidRequest, `This is a layer of the application "${manifest.name}"`);
    }
    await transact(this.dataSource, async (unit) => {
      const appId = await putApp(unit, manifest);
      const { number, isNew } = await putVersion(unit, { appId, manifest, layer, ring, actor });
      const details = { version: number, label: manifest.label, volume: manifest.volumeId, key: layer.keyId, isNew };
      await auditApp(this.auditLog, unit, name, { action: 'app-registered', actor, details });
    });
    return this.catalogue.view(name);
  }
}

/** Those who register versions of one application take turns: the row stays locked. */
async function putApp(unit: UnitOfWork, manifest: AppLayerManifest): Promise<string> {
  const { name, displayName, description, icon } = manifest;
  const [app] = await unit.rows<{ id: string }>(
    `INSERT INTO apps (name, display_name, description, icon_type, icon) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id`,
    [name, displayName, description, icon.mediaType, Buffer.from(icon.base64, 'base64')],
  );
  if (!app) throw new Error('an application was not inserted');
  return app.id;
}

interface NewVersion {
  readonly appId: string;
  readonly manifest: AppLayerManifest;
  readonly layer: SignedAppLayer;
  readonly ring: string;
  readonly actor: string;
}

async function putVersion(unit: UnitOfWork, { appId, manifest, layer, ring, actor }: NewVersion) {
  const { os, base, icon } = manifest;
  const [version] = await unit.rows<{ number: number; isNew: boolean }>(
    `INSERT INTO app_versions AS row (app_id, number, label, ring, volume_id, layer_bytes, installed_bytes, os_id,
            os_version_id, os_architecture, base_image, packages, payload, signature, key_id, created_by)
     SELECT $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15
       FROM app_versions WHERE app_id = $1
     ON CONFLICT (app_id, volume_id) DO UPDATE SET label = excluded.label, installed_bytes = excluded.installed_bytes,
            os_id = excluded.os_id, os_version_id = excluded.os_version_id, os_architecture = excluded.os_architecture,
            base_image = excluded.base_image, packages = excluded.packages, payload = excluded.payload,
            signature = excluded.signature, key_id = excluded.key_id
     RETURNING number, (xmax = 0) AS "isNew"`,
    [
      ...[appId, manifest.label, ring, manifest.volumeId, manifest.layerBytes, manifest.installedBytes],
      ...[os.id, os.versionId, os.architecture, base.image, manifest.packages.length],
      ...[layer.payload, layer.signature, layer.keyId, actor],
    ],
  );
  if (!version) throw new Error('a version was not inserted');
  // Words and picture are those of the newest version.
  await unit.rows(
    `UPDATE apps SET display_name = $3, description = $4, icon_type = $5, icon = $6
      WHERE id = $1 AND $2 = (SELECT max(number) FROM app_versions WHERE app_id = $1)`,
    [
      ...[appId, version.number, manifest.displayName, manifest.description],
      ...[icon.mediaType, Buffer.from(icon.base64, 'base64')],
    ],
  );
  return version;
}
