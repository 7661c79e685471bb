import { z } from 'zod';
import { idSchema, timestampSchema } from './primitives.js';

/** Name of a context: people have one profile volume for each, e.g. `work`. */
export const profileContextSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'use 1 to 32 of a-z, 0-9 and -, a letter first');

/** A folder below the home, which stays out of the profile: no way out of the home, nothing that could be a line of its own. */
export const excludedPathSchema = z
  .string()
  .max(255)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  .regex(/^(?!\.{1,2}(?:\/|$))[^/\u0000-\u001f\u007f]+(?:\/(?!\.{1,2}(?:\/|$))[^/\u0000-\u001f\u007f]+)*$/, {
    message: 'use a path below the home, without "." and ".."',
  });

/**
 * What a second desktop does while another one of the same person writes the volume. `roam`: ends the other's session
 * and takes the profile over. `read-only`: shows the newest version; what is written there is not kept.
 */
export const profileConflictSchema = z.enum(['roam', 'read-only']);
export type ProfileConflict = z.infer<typeof profileConflictSchema>;

/** What becomes of what was written since the last version when the person logs off; `ask`: the person chooses. */
export const profileAtLogOffSchema = z.enum(['keep', 'erase', 'ask']);
export type ProfileAtLogOff = z.infer<typeof profileAtLogOffSchema>;

/** `erase`: nothing that the session wrote is kept, saved or not. */
export const profileOutcomeSchema = z.enum(['keep', 'erase']);
export type ProfileOutcome = z.infer<typeof profileOutcomeSchema>;

/** How the desktops of a pool use profiles. */
export const poolProfileSchema = z
  .object({
    context: profileContextSchema,
    conflict: profileConflictSchema.default('roam'),
    atLogOff: profileAtLogOffSchema.default('keep'),
    /** Folders of the home that are the desktop's own and forgotten with it. */
    excludedPaths: z.array(excludedPathSchema).max(50).default(['.cache']),
    /** How often what was written becomes a version while the session lasts. */
    writeBackMinutes: z.int().min(1).max(1440).default(5),
    /** Whether people may put an earlier version of their own back. */
    userMayRestore: z.boolean().default(true),
  })
  .strict();
export type PoolProfile = z.infer<typeof poolProfileSchema>;

/** What has become of a profile on a desktop; `failed`: the desktop is used without, and nothing will be kept. */
export const sessionProfileStateSchema = z.enum(['waiting', 'opening', 'ready', 'failed', 'closing', 'closed']);
export type SessionProfileState = z.infer<typeof sessionProfileStateSchema>;

/** `read-only`: what is written is not kept, as another desktop writes the volume. */
export const profileModeSchema = z.enum(['write', 'read-only']);
export type ProfileMode = z.infer<typeof profileModeSchema>;

/**
 * Why the person has the desktop without their profile. `damaged`: no version of it can be opened. `no-key`: it cannot
 * be decrypted. `store-unavailable`: it cannot be reached. `too-slow`: not there before its deadline. `failed`:
 * anything else; see the details for IT.
 */
export const profileFailureSchema = z.enum(['damaged', 'no-key', 'store-unavailable', 'too-slow', 'failed']);
export type ProfileFailure = z.infer<typeof profileFailureSchema>;

/**
 * What the person should know of their profile. `saving`: a version is being made. `save-failed`: the latest could not
 * be made; tried again. `nearly-full`, `full`: of its limit. `older-version`: the newest was damaged, this is the one
 * before. `read-only`: in use on another desktop, changes here are not kept. `not-kept`: opened without the profile,
 * nothing is kept. `in-use`: waits until another desktop has given it back. `host-silent`: the same, and the host of
 * that desktop does not answer: IT has to release it.
 */
export const profileNoticeSchema = z.enum([
  'saving',
  'save-failed',
  'nearly-full',
  'full',
  'older-version',
  'read-only',
  'not-kept',
  'in-use',
  'host-silent',
]);
export type ProfileNotice = z.infer<typeof profileNoticeSchema>;

/** The profile of a session's desktop. */
export const sessionProfileSchema = z.object({
  context: profileContextSchema,
  state: sessionProfileStateSchema,
  mode: profileModeSchema,
  notice: profileNoticeSchema.nullable(),
  /** For `failed`, and only then. */
  reason: profileFailureSchema.nullable(),
  /** Null until they were measured. */
  usedBytes: z.int().nullable(),
  totalBytes: z.int().nullable(),
  /** What was written until then would be there on another desktop; null before the first time on this one. */
  savedAt: timestampSchema.nullable(),
  /** Whether the person is to be asked at log-off. */
  atLogOff: profileAtLogOffSchema,
});
export type SessionProfile = z.infer<typeof sessionProfileSchema>;

/** Why a version of a profile was made. */
export const profileVersionReasonSchema = z.enum([
  'first',
  'write-back',
  'disconnect',
  'log-off',
  'recycle',
  'roamed',
  'restored',
]);
export type ProfileVersionReason = z.infer<typeof profileVersionReasonSchema>;

/** `damaged` ones are not opened any more. */
export const profileVersionStateSchema = z.enum(['good', 'damaged']);
export type ProfileVersionState = z.infer<typeof profileVersionStateSchema>;

/** A person's volume of one context. */
export const profileVolumeViewSchema = z.object({
  context: profileContextSchema,
  /** What may be stored in it; what people see as the size of their disk. */
  sizeMiB: z.int(),
  /** The version that the next desktop opens; null while there is none. */
  newest: z.int().nullable(),
  savedAt: timestampSchema.nullable(),
  /** How many can be gone back to, and how many are kept though they are damaged. */
  versions: z.int(),
  damaged: z.int(),
  /** What all its versions hold in the store, before anything shared is taken off. */
  storedBytes: z.int(),
  /** The desktop that writes it now. */
  heldBy: z.object({ desktopId: idSchema, host: z.string() }).nullable(),
  /** Whether the person may put an earlier version back without asking IT. */
  userMayRestore: z.boolean(),
  createdAt: timestampSchema,
});
export type ProfileVolumeView = z.infer<typeof profileVolumeViewSchema>;

export const profileVersionViewSchema = z.object({
  number: z.int(),
  /** The one that was the newest before. */
  parent: z.int().nullable(),
  /** For `restored`: the older one that it is the same as. */
  restoredFrom: z.int().nullable(),
  reason: profileVersionReasonSchema,
  state: profileVersionStateSchema,
  /** Whether it is the one that the next desktop opens. */
  isNewest: z.boolean(),
  /** Whether it was made after everything had been closed; the others are as after a power cut, and are checked first. */
  isClean: z.boolean(),
  sizeBytes: z.int(),
  /** What it added to the store. */
  writtenBytes: z.int(),
  host: z.string().nullable(),
  desktopId: idSchema.nullable(),
  /** What is wrong with a damaged one, for IT. */
  damage: z.string().nullable(),
  createdAt: timestampSchema,
});
export type ProfileVersionView = z.infer<typeof profileVersionViewSchema>;

/** How large the profiles of people in a role may be; of several roles the largest holds. */
export const profileLimitViewSchema = z.object({ role: z.string(), sizeMiB: z.int() });
export type ProfileLimitView = z.infer<typeof profileLimitViewSchema>;

export const putProfileLimitSchema = z.object({ sizeMiB: z.int().min(64).max(1_048_576) }).strict();
export type PutProfileLimit = z.infer<typeof putProfileLimitSchema>;
