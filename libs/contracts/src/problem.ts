import { z } from 'zod';

/** RFC 9457 problem+json. `code` is the stable part; `correlationId` finds the log lines of the request. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string().optional(),
  instance: z.string().optional(),
  correlationId: z.string().optional(),
  /** For `invalid-request`: which fields, and what to do. */
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  retryAfterSeconds: z.int().optional(),
});
export type Problem = z.infer<typeof problemSchema>;
