import { z } from 'zod';

export const usernameSchema = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[^\0]+$/);

/** Whose it is, in a path. */
export const usernameParam = { schema: usernameSchema };
