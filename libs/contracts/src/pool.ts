import { z } from 'zod';
import { nameSchema } from './primitives.js';

/** A pool as the people see who may use it. */
export const poolSummarySchema = z.object({
  name: nameSchema,
  displayName: z.string(),
  description: z.string(),
  /** Warm desktops ready now: with at least one a logon takes about a second. */
  available: z.int(),
});
export type PoolSummary = z.infer<typeof poolSummarySchema>;

/** A pool as IT sees it. */
export const poolViewSchema = poolSummarySchema.extend({
  image: nameSchema,
  imageVersion: z.int().nullable(),
  roles: z.array(z.string()),
  spares: z.int(),
  max: z.int(),
  vcpus: z.int(),
  memoryMiB: z.int(),
  disconnectTimeoutMinutes: z.int(),
  counts: z.object({
    provisioning: z.int(),
    available: z.int(),
    assigned: z.int(),
    recycling: z.int(),
    quarantined: z.int(),
    waiting: z.int(),
  }),
});
export type PoolView = z.infer<typeof poolViewSchema>;

export const createPoolSchema = z
  .object({
    name: nameSchema,
    displayName: z.string().trim().min(1).max(100),
    description: z.string().max(500).default(''),
    image: nameSchema,
    roles: z.array(z.string().min(1).max(256)).min(1),
    spares: z.int().min(0).max(1000).default(2),
    max: z.int().min(1).max(10000).default(10),
    vcpus: z.int().min(1).max(64).default(1),
    memoryMiB: z.int().min(256).max(262_144).default(1024),
    disconnectTimeoutMinutes: z.int().min(1).max(10_080).default(60),
  })
  .strict();
export type CreatePool = z.infer<typeof createPoolSchema>;

export const updatePoolSchema = z
  .object({
    displayName: z.string().trim().min(1).max(100),
    description: z.string().max(500),
    roles: z.array(z.string().min(1).max(256)).min(1),
    spares: z.int().min(0).max(1000),
    max: z.int().min(1).max(10000),
    disconnectTimeoutMinutes: z.int().min(1).max(10_080),
  })
  .partial()
  .strict();
export type UpdatePool = z.infer<typeof updatePoolSchema>;
