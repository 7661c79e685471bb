import { z } from 'zod';
import { idSchema, nameSchema, timestampSchema } from './primitives.js';
import { poolProfileSchema } from './profiles.js';
import { poolModeSchema, startMethodSchema } from './states.js';

/** A pool as the people see who may use it. */
export const poolSummarySchema = z.object({
  name: nameSchema,
  displayName: z.string(),
  description: z.string(),
  /** Warm desktops ready now: with at least one a logon takes about a second. */
  available: z.int(),
  /** Whether people find their own files and settings there on every desktop. */
  hasProfile: z.boolean(),
});
export type PoolSummary = z.infer<typeof poolSummarySchema>;

/** A desktop that cannot be proved clean or destroyed; it is kept aside for IT to look at. */
export const quarantinedDesktopSchema = z.object({
  desktopId: idSchema,
  host: z.string(),
  reason: z.string().nullable(),
  since: timestampSchema,
});
export type QuarantinedDesktop = z.infer<typeof quarantinedDesktopSchema>;

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
  mode: poolModeSchema,
  /** Null: its desktops have no profiles, and forget everything. */
  profile: poolProfileSchema.nullable(),
  counts: z.object({
    /** Being built. */
    provisioning: z.int(),
    /** Spares, also those that are outdated or on a host that drains. */
    available: z.int(),
    assigned: z.int(),
    recycling: z.int(),
    quarantined: z.int(),
    waiting: z.int(),
  }),
  queue: z.object({
    length: z.int(),
    /** Until the last in line is served; null when nobody waits, it cannot be said, or the pool's mode holds them. */
    estimatedSeconds: z.int().nullable(),
  }),
  /**
   * How long machines took from their order until they ran: the latest 200 of the last hour that were started in the
   * way that is now the usual one. Null without any.
   */
  forkTimes: z.object({ method: startMethodSchema, p50Ms: z.number(), p95Ms: z.number(), count: z.int() }).nullable(),
  /** What a desktop of those that run holds of its host's memory, on average. Null while nothing was measured. */
  memory: z.object({ privateMiB: z.number(), sharedMiB: z.number(), desktops: z.int() }).nullable(),
  /** People who were told in the last 24 hours that they get no desktop. None by design: who waits, waits. */
  refusals: z.int(),
  /** The latest 100; `counts.quarantined` counts all. */
  quarantined: z.array(quarantinedDesktopSchema),
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
    profile: poolProfileSchema.nullable().default(null),
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
    mode: poolModeSchema,
    /** Holds for desktops that are given to sessions from now on. */
    profile: poolProfileSchema.nullable(),
  })
  .partial()
  .strict();
export type UpdatePool = z.infer<typeof updatePoolSchema>;
