import type { DataSource } from 'typeorm';
import type { ImageVersionView, ImageView } from '#libs/contracts';
import { readRows } from '#libs/database';

type Row = Omit<ImageVersionView, 'createdAt' | 'stateChangedAt' | 'publishedAt'> & {
  readonly createdAt: Date;
  readonly stateChangedAt: Date;
  readonly publishedAt: Date | null;
};

/** All golden images by name, or one, with their versions, newest first. */
export async function readImageViews(dataSource: DataSource, name?: string): Promise<ImageView[]> {
  const images = await readRows<{ name: string; displayName: string }>(
    dataSource,
    `SELECT name, display_name AS "displayName" FROM golden_images WHERE $1::text IS NULL OR name = $1 ORDER BY name`,
    [name ?? null],
  );
  const rows = await readRows<Row>(
    dataSource,
    `SELECT golden_images.name AS image, number, state, state_changed_at AS "stateChangedAt", digest,
            size_bytes::float8 AS "sizeBytes", stored_bytes::float8 AS "storedBytes", failure,
            published_at AS "publishedAt", image_versions.created_at AS "createdAt",
            (SELECT coalesce(jsonb_agg(jsonb_build_object('name', host, 'ready', is_ready, 'failure', failure)
                                       ORDER BY host), '[]')
               FROM image_copies WHERE image_version_id = image_versions.id) AS hosts
       FROM image_versions JOIN golden_images ON golden_images.id = image_id
      WHERE $1::text IS NULL OR golden_images.name = $1
      ORDER BY number DESC`,
    [name ?? null],
  );
  const versions = rows.map(
    ({ createdAt, stateChangedAt, publishedAt, ...row }): ImageVersionView => ({
      ...row,
      createdAt: createdAt.toISOString(),
      stateChangedAt: stateChangedAt.toISOString(),
      publishedAt: publishedAt?.toISOString() ?? null,
    }),
  );
  return images.map((image) => ({ ...image, versions: versions.filter((version) => version.image === image.name) }));
}
