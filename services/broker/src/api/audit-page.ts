import { z } from 'zod';
import { auditActionSchema, auditEntryViewSchema } from '#libs/contracts';

export const auditQuerySchema = z.strictObject({
  action: auditActionSchema.optional(),
  actor: z.string().min(1).max(256).optional(),
  /** `next` of the page before. */
  cursor: z
    .string()
    .regex(/^\d{1,18}$/, 'use `next` of the page before')
    .optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
export type AuditPageQuery = z.infer<typeof auditQuerySchema>;

export const auditPageSchema = z.object({
  /** Newest first. */
  entries: z.array(auditEntryViewSchema),
  /** Give it as `cursor` for the entries before these; null on the last page. */
  next: z.string().nullable(),
});
export type AuditPage = z.infer<typeof auditPageSchema>;
