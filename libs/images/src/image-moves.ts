import { moveState, type UnitOfWork } from '#libs/database';
import { GoldenImage } from './golden-image.entity.js';
import { ImageVersion } from './image-version.entity.js';
import { imageVersionStates } from './image-version-states.js';

/** Whoever changes which version of an image serves takes turns. @returns null when there is no such image */
export function lockImage(unit: UnitOfWork, where: { name: string } | { id: string }): Promise<GoldenImage | null> {
  return unit.manager.findOne(GoldenImage, { where, lock: { mode: 'pessimistic_write' } });
}

/** The version that new desktops of an image start from. */
export function servingVersion(unit: UnitOfWork, imageId: string): Promise<ImageVersion | null> {
  return unit.manager.findOneBy(ImageVersion, { imageId, state: 'published' });
}

/** Moves one version. @returns false when it was in another state meanwhile */
export function moveVersion(
  unit: UnitOfWork,
  { id, state }: Pick<ImageVersion, 'id' | 'state'>,
  to: ImageVersion['state'],
  set: { readonly failure?: string | null; readonly reason?: string } = {},
): Promise<boolean> {
  const { reason, ...columns } = { failure: null, ...set };
  return moveState(unit, {
    machine: imageVersionStates,
    table: 'image_versions',
    id,
    from: state,
    to,
    set: columns,
    ...(reason === undefined ? {} : { reason }),
  });
}

/** New desktops start from this version from now on. The image is locked; the version is validating or retired. */
export async function putToUse(unit: UnitOfWork, version: ImageVersion, reason: string): Promise<void> {
  const serving = await servingVersion(unit, version.imageId);
  if (serving) await moveVersion(unit, serving, 'retired', { reason });
  if (!(await moveVersion(unit, version, 'published', { reason })))
    throw new Error('an image version moved though locked');
  await unit.rows('UPDATE image_versions SET published_at = clock_timestamp() WHERE id = $1', [version.id]);
}
