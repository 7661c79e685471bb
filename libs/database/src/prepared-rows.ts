import { createHash } from 'node:crypto';

/** A client or a pool of the pg driver. */
export interface Preparing {
  query(config: { name: string; text: string; values: unknown[] }): Promise<{ rows: unknown[] }>;
}

const names = new Map<string, string>();

/**
 * Rows of a statement that PostgreSQL keeps prepared on its connection: it is read and planned once, not each time.
 * Its text must be one of few, so values belong into the parameters.
 */
export async function preparedRows<Row>(
  client: Preparing,
  text: string,
  parameters: readonly unknown[],
): Promise<Row[]> {
  let name = names.get(text);
  if (name === undefined) {
    name = `goldleaf_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
    names.set(text, name);
  }
  const { rows } = await client.query({ name, text, values: [...parameters] });
  return rows as Row[];
}
