type ReadRows = <Row>(sql: string, parameters: readonly unknown[]) => Promise<Row[]>;

/**
 * The version that new desktops of an image start from.
 * @param rows within a transaction or outside of one
 * @returns its id; null when the image has none
 */
export async function publishedVersion(rows: ReadRows, imageId: string): Promise<string | null> {
  const [version] = await rows<{ id: string }>(
    `SELECT id FROM image_versions WHERE image_id = $1 AND state = 'published'`,
    [imageId],
  );
  return version?.id ?? null;
}
