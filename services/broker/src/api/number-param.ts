import { z } from 'zod';

/** The number of a version, in a path. */
export const numberParam = { schema: z.coerce.number().int().min(1).max(1_000_000) };
