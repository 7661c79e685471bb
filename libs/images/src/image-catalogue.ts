import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ImageView } from '#libs/contracts';
import { moveState, recordStateEvent, transact } from '#libs/database';
import { GoldenImage } from './golden-image.entity.js';
import { ImageVersion } from './image-version.entity.js';
import { imageVersionStates } from './image-version-states.js';

export interface ImageContent {
  readonly name: string;
  readonly displayName: string;
  readonly digest: string;
  /** Folder of the image below the images folder of each host. */
  readonly location: string;
  readonly sizeBytes: number;
}

@Injectable()
export class ImageCatalogue {
  constructor(private readonly dataSource: DataSource) {}

  /** Publishes a content as the newest version of its image; the same content again changes nothing but its folder. */
  async publishContent(content: ImageContent): Promise<ImageVersion> {
    return transact(this.dataSource, async (unit) => {
      await unit.rows(
        `INSERT INTO golden_images (name, display_name) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET display_name = excluded.display_name`,
        [content.name, content.displayName],
      );
      const image = await unit.manager.findOneOrFail(GoldenImage, {
        where: { name: content.name },
        lock: { mode: 'pessimistic_write' },
      });
      const known = await unit.manager.findOneBy(ImageVersion, { imageId: image.id, digest: content.digest });
      if (known) {
        await unit.manager.update(ImageVersion, known.id, { location: content.location });
        return { ...known, location: content.location };
      }
      const [created] = await unit.rows<{ id: string }>(
        `INSERT INTO image_versions (image_id, number, state, digest, location, size_bytes)
         SELECT $1, coalesce(max(number), 0) + 1, 'importing', $2, $3, $4 FROM image_versions WHERE image_id = $1
         RETURNING id`,
        [image.id, content.digest, content.location, content.sizeBytes],
      );
      if (!created) throw new Error('image version was not inserted');
      const { id } = created;
      await recordStateEvent(unit, { entity: imageVersionStates.name, id, from: null, to: 'importing' });
      const move = { machine: imageVersionStates, table: 'image_versions' as const, id };
      await moveState(unit, { ...move, from: 'importing', to: 'validating' });
      await moveState(unit, { ...move, from: 'validating', to: 'published' });
      return unit.manager.findOneByOrFail(ImageVersion, { id });
    });
  }

  async version(id: string): Promise<ImageVersion> {
    return this.dataSource.manager.findOneByOrFail(ImageVersion, { id });
  }

  async findByName(name: string): Promise<GoldenImage | null> {
    return this.dataSource.manager.findOneBy(GoldenImage, { name });
  }

  async list(): Promise<ImageView[]> {
    const images = await this.dataSource.manager.find(GoldenImage, { order: { name: 'ASC' } });
    const versions = await this.dataSource.manager.find(ImageVersion, { order: { number: 'DESC' } });
    return images.map((image) => ({
      name: image.name,
      displayName: image.displayName,
      versions: versions
        .filter((version) => version.imageId === image.id)
        .map((version) => ({
          image: image.name,
          number: version.number,
          state: version.state,
          digest: version.digest,
          sizeBytes: Number(version.sizeBytes),
          createdAt: version.createdAt.toISOString(),
        })),
    }));
  }
}
