import { z } from 'zod';
import { idSchema, nameSchema, timestampSchema } from './primitives.js';
import { desktopStateSchema, hostModeSchema, imageVersionStateSchema, startMethodSchema } from './states.js';

export const desktopViewSchema = z.object({
  id: idSchema,
  pool: nameSchema,
  state: desktopStateSchema,
  host: z.string(),
  imageVersion: z.int(),
  sessionId: idSchema.nullable(),
  username: z.string().nullable(),
  reason: z.string().nullable(),
  /** How its machine was started, from the order until it ran; null until then. */
  start: z.object({ method: startMethodSchema, durationMs: z.int() }).nullable(),
  /** What it held of its host's memory when that was last looked at; shared pages are counted whole. */
  memory: z.object({ privateMiB: z.int(), sharedMiB: z.int() }).nullable(),
  /** Why its person's profile could not be opened or saved when that was last tried; null: nothing is wrong. */
  profileProblem: z.string().nullable(),
  createdAt: timestampSchema,
  stateChangedAt: timestampSchema,
});
export type DesktopView = z.infer<typeof desktopViewSchema>;

export const hostViewSchema = z.object({
  name: z.string(),
  driver: z.string(),
  accelerator: z.string(),
  vcpus: z.int(),
  memoryMiB: z.int(),
  mode: hostModeSchema,
  /** What was really left when the host last reported. */
  availableMemoryMiB: z.int(),
  availableDiskMiB: z.int(),
  machines: z.int(),
  lastSeenAt: timestampSchema,
  online: z.boolean(),
  /** Since when IT has given it up; null: it has not. */
  fencedAt: timestampSchema.nullable(),
});
export type HostView = z.infer<typeof hostViewSchema>;

export const updateHostSchema = z.object({ mode: hostModeSchema }).strict();
export type UpdateHost = z.infer<typeof updateHostSchema>;

export const imageVersionViewSchema = z.object({
  image: nameSchema,
  number: z.int(),
  /** `published` is the one that new desktops start from. */
  state: imageVersionStateSchema,
  stateChangedAt: timestampSchema,
  digest: z.string(),
  sizeBytes: z.int(),
  /** What it added to the volume store; null until it is there. */
  storedBytes: z.int().nullable(),
  /** Why it failed, or what stands in its way now. */
  failure: z.string().nullable(),
  /** When it was last put to use; null when it never was. */
  publishedAt: timestampSchema.nullable(),
  /** Where it lies, ready for desktops, or why not. */
  hosts: z.array(z.object({ name: z.string(), ready: z.boolean(), failure: z.string().nullable() })),
  createdAt: timestampSchema,
});
export type ImageVersionView = z.infer<typeof imageVersionViewSchema>;

export const imageViewSchema = z.object({
  name: nameSchema,
  displayName: z.string(),
  versions: z.array(imageVersionViewSchema),
});
export type ImageView = z.infer<typeof imageViewSchema>;

/** A golden image that was built on a host of the pool, below its images folder. */
export const importImageSchema = z
  .object({
    displayName: z.string().trim().min(1).max(100),
    digest: z.string().regex(/^[0-9a-f]{64}$/),
    host: z.string().min(1).max(255),
    location: z
      .string()
      .max(300)
      .regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/),
    sizeBytes: z.int().min(1),
  })
  .strict();
export type ImportImage = z.infer<typeof importImageSchema>;

export const auditActionSchema = z.enum([
  'sign-in',
  'sign-in-refused',
  'sign-out',
  'assignment',
  'recycle',
  'log-off',
  'session-expired',
  'desktop-lost',
  'desktop-quarantined',
  'desktop-discarded',
  'pool-created',
  'pool-changed',
  'host-changed',
  'host-fenced',
  'host-fence-lifted',
  'image-imported',
  'image-published',
  'image-rolled-back',
  'app-registered',
  'app-version-changed',
  'app-assigned',
  'app-withdrawn',
  'app-pinned',
  'app-failed',
  'session-roamed',
  'profile-failed',
  'profile-not-saved',
  'profile-given-up',
  'profile-damaged',
  'profile-taken-over',
  'profile-restored',
  'profile-restore-refused',
  'profile-looked-into',
  'profile-deleted',
  'profile-limit-changed',
]);
export type AuditAction = z.infer<typeof auditActionSchema>;

export const auditEntryViewSchema = z.object({
  id: idSchema,
  at: timestampSchema,
  action: auditActionSchema,
  actor: z.string(),
  subject: z.string().nullable(),
  sourceAddress: z.string().nullable(),
  correlationId: z.string().nullable(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});
export type AuditEntryView = z.infer<typeof auditEntryViewSchema>;
