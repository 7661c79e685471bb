import type { ImageVersionView } from '#libs/contracts';

/** The version that new desktops would start from again: of those older than the serving one, the last that served. */
export function rollBackTarget(versions: readonly ImageVersionView[]): ImageVersionView | null {
  const serving = versions.find((version) => version.state === 'published');
  if (!serving) return null;
  const served = versions.filter(
    (each) => each.state === 'retired' && each.publishedAt && each.number < serving.number,
  );
  served.sort((one, other) => Date.parse(other.publishedAt ?? '') - Date.parse(one.publishedAt ?? ''));
  return served[0] ?? null;
}
