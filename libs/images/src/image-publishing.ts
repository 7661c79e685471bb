import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditLog } from '#libs/audit';
import type { AuditAction, ImageVersionView, ImportImage } from '#libs/contracts';
import { transact, type UnitOfWork } from '#libs/database';
import { DomainError, errors } from '#libs/kernel';
import type { GoldenImage } from './golden-image.entity.js';
import { ImageCatalogue } from './image-catalogue.js';
import { lockImage, moveVersion, putToUse, servingVersion } from './image-moves.js';
import { ImageVersion } from './image-version.entity.js';

/** What IT decides: which version of an image serves new desktops. Desktops that people have are left alone. */
@Injectable()
export class ImagePublishing {
  constructor(
    private readonly dataSource: DataSource,
    private readonly catalogue: ImageCatalogue,
    private readonly audit: AuditLog,
  ) {}

  /** Has an image that was built on a host imported. @throws DomainError not-found when there is no such host */
  async import(name: string, { host, ...image }: ImportImage, actor: string): Promise<ImageVersionView> {
    const { number } = await this.catalogue.addBuilt({ ...image, name }, host, async (unit, version) => {
      const [known] = await unit.rows('SELECT FROM hosts WHERE name = $1', [host]);
      if (!known) throw new DomainError(errors.notFound, `There is no host "${host}"`);
      await this.record(unit, 'image-imported', name, version.number, actor);
    });
    return this.view(name, number);
  }

  /**
   * Has new desktops start from this version: at once when a host is ready for it, else as soon as one is; one that
   * failed is tried again. The one that serves already stays.
   * @throws DomainError not-found
   */
  publish(name: string, number: number, actor: string): Promise<ImageVersionView> {
    return this.change(name, number, async (unit, _image, version) => {
      if (version.state === 'published') return number;
      if (version.state === 'retired') await this.promote(unit, version);
      if (version.state === 'failed') await moveVersion(unit, version, version.stored ? 'validating' : 'importing');
      await request(unit, version);
      await this.record(unit, 'image-published', name, number, actor);
      return number;
    });
  }

  /**
   * Takes the version that serves back, so that new desktops start from the one that served before it; or, given an
   * earlier version that served, goes back to that one. Twice is refused: it never goes forward again.
   * @returns the version that serves from now on, or as soon as a host is ready for it
   * @throws DomainError not-found | conflict
   */
  rollBack(name: string, number: number, actor: string): Promise<ImageVersionView> {
    return this.change(name, number, async (unit, image, version) => {
      const serving = await servingVersion(unit, image.id);
      const target = version.id === serving?.id ? await servedBefore(unit, version) : version;
      if (!target) throw new DomainError(errors.conflict, `No earlier version of ${name} has served`);
      const isEarlier = target.state === 'retired' && target.publishedAt !== null;
      if (!serving || !isEarlier || target.number >= serving.number) {
        throw new DomainError(errors.conflict, `Version ${number} of ${name} is none that can be rolled back`);
      }
      await this.promote(unit, target);
      await request(unit, target);
      await this.record(unit, 'image-rolled-back', name, target.number, actor, { from: serving.number });
      return target.number;
    });
  }

  private async promote(unit: UnitOfWork, version: ImageVersion): Promise<void> {
    const [copy] = await unit.rows('SELECT 1 FROM image_copies WHERE image_version_id = $1 AND is_ready LIMIT 1', [
      version.id,
    ]);
    // What is in no store is in the images folder of the hosts.
    if (copy || !version.stored) await putToUse(unit, version, 'asked for');
    else await moveVersion(unit, version, 'validating', { reason: 'asked for, and on no host' });
  }

  /** @param work answers the number of the version to be shown */
  private async change(
    name: string,
    number: number,
    work: (unit: UnitOfWork, image: GoldenImage, version: ImageVersion) => Promise<number>,
  ): Promise<ImageVersionView> {
    const shown = await transact(this.dataSource, async (unit) => {
      const image = await lockImage(unit, { name });
      const version = image && (await unit.manager.findOneBy(ImageVersion, { imageId: image.id, number }));
      if (!version) throw noVersion(name, number);
      return work(unit, image, version);
    });
    return this.view(name, shown);
  }

  private async view(name: string, number: number): Promise<ImageVersionView> {
    const image = await this.catalogue.view(name);
    const found = image?.versions.find((version) => version.number === number);
    if (!found) throw noVersion(name, number);
    return found;
  }

  private record(
    unit: UnitOfWork,
    action: AuditAction,
    name: string,
    number: number,
    actor: string,
    details: Record<string, number> = {},
  ): Promise<void> {
    const subject = `image:${name}`;
    return this.audit.record({ action, actor, subject, details: { version: number, ...details } }, unit.manager);
  }
}

const noVersion = (name: string, number: number): DomainError =>
  new DomainError(errors.notFound, `There is no version ${number} of a golden image "${name}"`);

/** Of two that get ready, the one that was asked for last serves. */
async function request(unit: UnitOfWork, { id }: ImageVersion): Promise<void> {
  await unit.rows('UPDATE image_versions SET requested_at = clock_timestamp() WHERE id = $1', [id]);
}

async function servedBefore(unit: UnitOfWork, { imageId, number }: ImageVersion): Promise<ImageVersion | null> {
  return unit.manager
    .createQueryBuilder(ImageVersion, 'version')
    .where("image_id = :imageId AND state = 'retired' AND number < :number", { imageId, number })
    .andWhere('published_at IS NOT NULL')
    .orderBy('published_at', 'DESC')
    .getOne();
}
