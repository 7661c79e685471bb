import type { DataSource } from 'typeorm';
import { imageDigest } from './storm-servers.js';

/** A published image version and the pool `call-center`. */
export async function seedStorm(dataSource: DataSource, spares: number): Promise<void> {
  await dataSource.query(
    `WITH image AS (INSERT INTO golden_images (name, display_name) VALUES ('debian', 'Debian') RETURNING id),
     version AS (
       INSERT INTO image_versions (image_id, number, state, digest, location, size_bytes)
       SELECT id, 1, 'published', $1, 'debian/1', 1 FROM image)
     INSERT INTO pools (name, display_name, image_id, roles, spares, max, vcpus, memory_mib, disconnect_timeout_minutes)
     SELECT 'call-center', 'Call centre', id, '{call-center}', $2, 10000, 1, 512, 60 FROM image`,
    [imageDigest, spares],
  );
}
