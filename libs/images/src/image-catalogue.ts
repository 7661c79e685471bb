import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ImageView } from '#libs/contracts';
import { recordStateEvent, transact, type UnitOfWork } from '#libs/database';
import { GoldenImage } from './golden-image.entity.js';
import { lockImage, moveVersion, putToUse } from './image-moves.js';
import { ImageVersion } from './image-version.entity.js';
import { imageVersionStates } from './image-version-states.js';
import { readImageViews } from './image-views.js';

export interface ImageContent {
  readonly name: string;
  readonly displayName: string;
  readonly digest: string;
  /** Folder of the image below the images folder of its host. */
  readonly location: string;
  readonly sizeBytes: number;
}

@Injectable()
export class ImageCatalogue {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Has the image that was built on a host imported: its provisioner writes it to the volume store, hosts make their
   * copies, and then new desktops start from it. A content that is known is only looked for in the new place, and tried
   * again when it had failed.
   * @param within what belongs into the same transaction
   */
  async addBuilt(
    content: ImageContent,
    host: string,
    within: (unit: UnitOfWork, version: ImageVersion) => Promise<void> = async () => undefined,
  ): Promise<ImageVersion> {
    return transact(this.dataSource, async (unit) => {
      const version = await this.add(unit, content);
      await unit.manager.update(ImageVersion, version.id, { location: content.location, sourceHost: host });
      if (version.state === 'failed') {
        await moveVersion(unit, version, version.stored ? 'validating' : 'importing', { reason: 'built again' });
      }
      await within(unit, version);
      return unit.manager.findOneByOrFail(ImageVersion, { id: version.id });
    });
  }

  /** Has new desktops start at once from a content that every host already has in its images folder. */
  async publishContent(content: ImageContent): Promise<ImageVersion> {
    return transact(this.dataSource, async (unit) => {
      const version = await this.add(unit, content);
      await unit.manager.update(ImageVersion, version.id, { location: content.location });
      if (version.state === 'importing') {
        await moveVersion(unit, version, 'validating');
        await putToUse(unit, { ...version, state: 'validating' }, 'on every host');
      }
      return unit.manager.findOneByOrFail(ImageVersion, { id: version.id });
    });
  }

  async version(id: string): Promise<ImageVersion> {
    return this.dataSource.manager.findOneByOrFail(ImageVersion, { id });
  }

  async findByName(name: string): Promise<GoldenImage | null> {
    return this.dataSource.manager.findOneBy(GoldenImage, { name });
  }

  list(): Promise<ImageView[]> {
    return readImageViews(this.dataSource);
  }

  /** Undefined when there is no such image. */
  async view(name: string): Promise<ImageView | undefined> {
    return (await readImageViews(this.dataSource, name))[0];
  }

  /** The version with this content, made in its first state when it is new. The image stays locked. */
  private async add(unit: UnitOfWork, content: ImageContent): Promise<ImageVersion> {
    await unit.rows(
      `INSERT INTO golden_images (name, display_name) VALUES ($1, $2)
       ON CONFLICT (name) DO UPDATE SET display_name = excluded.display_name`,
      [content.name, content.displayName],
    );
    const image = await lockImage(unit, { name: content.name });
    if (!image) throw new Error('golden image was not inserted');
    const known = await unit.manager.findOneBy(ImageVersion, { imageId: image.id, digest: content.digest });
    if (known) return known;
    const [created] = await unit.rows<{ id: string }>(
      `INSERT INTO image_versions (image_id, number, state, digest, location, size_bytes)
       SELECT $1, coalesce(max(number), 0) + 1, 'importing', $2, $3, $4 FROM image_versions WHERE image_id = $1
       RETURNING id`,
      [image.id, content.digest, content.location, content.sizeBytes],
    );
    if (!created) throw new Error('image version was not inserted');
    await recordStateEvent(unit, { entity: imageVersionStates.name, id: created.id, from: null, to: 'importing' });
    return unit.manager.findOneByOrFail(ImageVersion, { id: created.id });
  }
}
