import { z } from 'zod';

export const loginRequestSchema = z.object({
  username: z.string().max(256),
  password: z.string().max(1024),
});
export type LoginRequest = z.infer<typeof loginRequestSchema>;

export const userViewSchema = z.object({
  username: z.string(),
  displayName: z.string(),
  roles: z.array(z.string()),
  /** Whether the console of IT is theirs. What may be done is decided at every call. */
  isAdmin: z.boolean(),
});
export type UserView = z.infer<typeof userViewSchema>;

export const loginResponseSchema = z.object({ user: userViewSchema, token: z.string() });
export type LoginResponse = z.infer<typeof loginResponseSchema>;
