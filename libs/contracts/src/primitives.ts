import { z } from 'zod';

export const idSchema = z.uuid();
/** Names of pools and images: lower case, digits and hyphens, 2 to 63 characters. */
export const nameSchema = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])$/, 'use 2 to 63 of a-z, 0-9 and -');
export const timestampSchema = z.iso.datetime();
export const displaySizeSchema = z.object({
  width: z.int().min(320).max(7680),
  height: z.int().min(240).max(4320),
});
export type DisplaySize = z.infer<typeof displaySizeSchema>;
