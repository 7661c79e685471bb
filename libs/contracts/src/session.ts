import { z } from 'zod';
import { sessionAppSchema } from './apps.js';
import { displaySizeSchema, idSchema, nameSchema, timestampSchema } from './primitives.js';
import { sessionProfileSchema } from './profiles.js';
import { logonPhaseNameSchema, poolModeSchema, sessionStateSchema } from './states.js';

export const createSessionSchema = z
  .object({
    pool: nameSchema,
    display: displaySizeSchema.optional(),
    /** An application to start as soon as the desktop has it. */
    app: nameSchema.optional(),
  })
  .strict();
export type CreateSession = z.infer<typeof createSessionSchema>;

export const logonPhaseSchema = z.object({
  name: logonPhaseNameSchema,
  startedAt: timestampSchema,
  /** Null while the phase is under way. */
  durationMs: z.number().nullable(),
});
export type LogonPhase = z.infer<typeof logonPhaseSchema>;

/** Why the session has the desktop it has, for the words that the portal shows while a new one is prepared. */
export const preparingReasonSchema = z.enum(['logon', 'recycle', 'guest-reboot', 'guest-poweroff', 'machine-lost']);
export type PreparingReason = z.infer<typeof preparingReasonSchema>;

/** `roamed`: the person opened their profile on another desktop. */
export const sessionEndReasonSchema = z.enum(['log-off', 'expired', 'roamed']);
export type SessionEndReason = z.infer<typeof sessionEndReasonSchema>;

/** Where a session stands that waits for a desktop. */
export const queuePlaceSchema = z.object({
  /** 1 for the next one to be served. */
  position: z.int(),
  /** From measured rates; null when nothing has been measured yet, and while `paused`. */
  estimatedSeconds: z.int().nullable(),
  /** Why nobody is served at this place now, whatever is free; null while people are. */
  paused: poolModeSchema.exclude(['active']).nullable(),
});
export type QueuePlace = z.infer<typeof queuePlaceSchema>;

export const sessionViewSchema = z.object({
  id: idSchema,
  state: sessionStateSchema,
  pool: nameSchema,
  poolDisplayName: z.string(),
  imageVersion: z.int().nullable(),
  desktop: z.object({ id: idSchema }).nullable(),
  /** Of its desktop; before it has one, those that it will have. */
  apps: z.array(sessionAppSchema),
  /** Of its desktop, where the pool has profiles. */
  profile: sessionProfileSchema.nullable(),
  phases: z.array(logonPhaseSchema),
  preparingReason: preparingReasonSchema,
  /** Null once it has a desktop. */
  queue: queuePlaceSchema.nullable(),
  /** For a failed session: what went wrong, in words for the person. */
  failure: z.string().nullable(),
  /** Why it has ended; null for one that has not, and for a failed one. */
  endReason: sessionEndReasonSchema.nullable(),
  createdAt: timestampSchema,
});
export type SessionView = z.infer<typeof sessionViewSchema>;

export const ticketViewSchema = z.object({
  ticket: z.string(),
  /** Where to open the websocket, relative to the broker unless absolute; add `?ticket=`. */
  tunnelUrl: z.string(),
  expiresAt: timestampSchema,
});
export type TicketView = z.infer<typeof ticketViewSchema>;
