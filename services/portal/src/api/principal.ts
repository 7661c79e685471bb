import { z } from 'zod';
import { loginResponseSchema, userViewSchema } from '#libs/contracts';

/** Who is signed in. `isAdmin`: whether to offer the console of IT; what may be done there is the broker's to decide. */
export const principalSchema = userViewSchema.extend({ isAdmin: z.boolean().default(false) });
export type Principal = z.infer<typeof principalSchema>;

export const signInAnswerSchema = loginResponseSchema.extend({ user: principalSchema });
