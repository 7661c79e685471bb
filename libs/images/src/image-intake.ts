import { Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import { readRows, transact } from '#libs/database';
import { lockImage, moveVersion, putToUse, servingVersion } from './image-moves.js';
import { ImageVersion } from './image-version.entity.js';
import { type StoredImage, storedImageSchema } from './stored-image.js';

/** What became of a version that a host is ready for. */
export type Served = 'published' | 'superseded' | 'waiting';

/** What hosts tell of image versions on their way to desktops, and what they have to do. */
@Injectable()
export class ImageIntake {
  constructor(private readonly dataSource: DataSource) {}

  /** Versions that hosts work on: in the making, or serving, or the last that served (to go back to it at once). */
  async wanted(): Promise<ImageVersion[]> {
    const rows = await readRows<{ id: string }>(
      this.dataSource,
      `SELECT id FROM image_versions WHERE state IN ('importing', 'validating', 'published', 'failed')
       UNION
       (SELECT DISTINCT ON (image_id) id FROM image_versions
         WHERE state = 'retired' AND published_at IS NOT NULL ORDER BY image_id, published_at DESC)`,
    );
    const found = await this.dataSource.manager.find(ImageVersion, {
      where: { id: In(rows.map(({ id }) => id)) },
      order: { requestedAt: 'ASC' },
    });
    return found.map((version) => ({ ...version, stored: version.stored && storedImageSchema.parse(version.stored) }));
  }

  /** Digests of all versions that desktops of any host still have. */
  async digestsInUse(): Promise<Set<string>> {
    const rows = await readRows<{ digest: string }>(
      this.dataSource,
      `SELECT digest FROM image_versions
        WHERE EXISTS (SELECT FROM desktops WHERE image_version_id = image_versions.id AND desktops.state <> 'deleted')`,
    );
    return new Set(rows.map(({ digest }) => digest));
  }

  /** All of the version is in the store. */
  async stored({ id }: ImageVersion, stored: StoredImage, storedBytes: number): Promise<void> {
    await transact(this.dataSource, async (unit) => {
      const version = await unit.manager.findOneByOrFail(ImageVersion, { id });
      await unit.manager.update(ImageVersion, id, { stored, storedBytes: String(storedBytes) });
      if (version.state === 'importing') await moveVersion(unit, version, 'validating');
    });
  }

  /** The version cannot serve. @param failure for IT */
  async failed({ id }: ImageVersion, failure: string): Promise<void> {
    await transact(this.dataSource, async (unit) => {
      const version = await unit.manager.findOneByOrFail(ImageVersion, { id });
      if (version.state !== 'importing' && version.state !== 'validating') return;
      await moveVersion(unit, version, 'failed', { failure, reason: failure });
    });
  }

  /** A version that failed is worth another try. */
  async tryAgain({ id }: ImageVersion): Promise<void> {
    await transact(this.dataSource, async (unit) => {
      const version = await unit.manager.findOneByOrFail(ImageVersion, { id });
      if (version.state !== 'failed') return;
      await moveVersion(unit, version, version.stored ? 'validating' : 'importing', { failure: version.failure });
    });
  }

  /**
   * Takes from versions that failed, and were asked for so long ago, what says where they are in the store: they begin
   * anew when somebody tries again. Not counted from the failure, as hosts try again and fail anew every hour. @returns them as they were, to be deleted there
   */
  async forgetFailed(afterDays: number): Promise<{ readonly stored: StoredImage | null }[]> {
    const rows = await readRows<{ stored: unknown }>(
      this.dataSource,
      `WITH old AS (
         SELECT id, stored FROM image_versions
          WHERE state = 'failed' AND stored IS NOT NULL AND requested_at < now() - make_interval(days => $1)
            FOR UPDATE SKIP LOCKED)
       UPDATE image_versions SET stored = NULL, stored_bytes = NULL FROM old WHERE image_versions.id = old.id
       RETURNING old.stored`,
      [afterDays],
    );
    return rows.map(({ stored }) => ({ stored: storedImageSchema.nullable().parse(stored) }));
  }

  /** Something stands in the way of the version; null when it does no more. */
  async hindered({ id }: ImageVersion, failure: string | null): Promise<void> {
    await readRows(
      this.dataSource,
      'UPDATE image_versions SET failure = $2 WHERE id = $1 AND failure IS DISTINCT FROM $2',
      [id, failure],
    );
  }

  /** The host has the version, or could not make its copy. */
  async copy(host: string, { id }: ImageVersion, failure: string | null): Promise<void> {
    await readRows(
      this.dataSource,
      `INSERT INTO image_copies (host, image_version_id, is_ready, failure) VALUES ($1, $2, $3, $4)
       ON CONFLICT (host, image_version_id) DO UPDATE SET is_ready = $3, failure = $4, at = now()
        WHERE image_copies.failure IS DISTINCT FROM $4`,
      [host, id, failure === null, failure],
    );
  }

  /** The host has none but these. */
  async copiesOf(host: string, versions: readonly ImageVersion[]): Promise<void> {
    await readRows(
      this.dataSource,
      'DELETE FROM image_copies WHERE host = $1 AND image_version_id <> ALL($2::uuid[])',
      [host, versions.map(({ id }) => id)],
    );
  }

  /**
   * Has new desktops start from a validating version, once every host that works has its copy or has said why not.
   * 'superseded' when another one was asked for later and serves.
   */
  async serve({ id, imageId }: ImageVersion, hostOfflineAfterSeconds: number): Promise<Served> {
    return transact(this.dataSource, async (unit) => {
      await lockImage(unit, { id: imageId });
      const version = await unit.manager.findOneByOrFail(ImageVersion, { id });
      if (version.state === 'published') return 'published';
      if (version.state !== 'validating') return 'superseded';
      const serving = await servingVersion(unit, imageId);
      if (serving && serving.requestedAt > version.requestedAt) {
        await moveVersion(unit, version, 'retired', { reason: `version ${serving.number} was asked for later` });
        return 'superseded';
      }
      const [missing] = await unit.rows(
        `SELECT FROM hosts
          WHERE mode = 'active' AND last_seen_at > now() - make_interval(secs => $2)
            AND NOT EXISTS (SELECT FROM image_copies WHERE host = hosts.name AND image_version_id = $1)
          LIMIT 1`,
        [id, hostOfflineAfterSeconds],
      );
      if (missing) return 'waiting';
      await putToUse(unit, version, 'ready on its hosts');
      return 'published';
    });
  }
}
