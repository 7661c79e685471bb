import { z } from 'zod';
import { idSchema, timestampSchema } from './primitives.js';

/** Files of an older version can be taken up to this size; larger ones come back with the whole version. */
export const PROFILE_LOOKUP_MAX_BYTES = 32 * 1024 * 1024;

/**
 * A path below the home, such as `Documents/letter.odt`; empty: the home itself. Names in a file system may hold any
 * bytes: what is no printable text is written `\xHH` (two hexadecimal digits for a byte), and a backslash `\\`.
 */
export const profilePathSchema = z
  .string()
  .max(16_384)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no name holds that one
  .regex(/^(?:[^\\\u0000]|\\\\|\\x(?!00|2f|2F)[0-9a-fA-F]{2})*$/, {
    message: 'write bytes that are no text as \\xHH, and a backslash as \\\\',
  });

/** `folder`: what it holds. `file`: its content. */
export const profileLookupKindSchema = z.enum(['folder', 'file']);
export type ProfileLookupKind = z.infer<typeof profileLookupKindSchema>;

export const beginProfileLookupSchema = z.strictObject({
  path: profilePathSchema.default(''),
  kind: profileLookupKindSchema,
});
export type BeginProfileLookup = z.infer<typeof beginProfileLookupSchema>;

export const profileLookupBegunSchema = z.object({ id: idSchema });
export type ProfileLookupBegun = z.infer<typeof profileLookupBegunSchema>;

export const profileLookupStateSchema = z.enum(['waiting', 'done', 'failed']);
export type ProfileLookupState = z.infer<typeof profileLookupStateSchema>;

/**
 * Why nothing was found. `not-found`: the version has no such folder or file. `too-large`: the file is. `damaged`: the
 * file system cannot be read there. `store-unavailable`: the volume store cannot be reached. `no-key`: the profile
 * cannot be decrypted. `unsupported`: the host cannot do it, see its log. `no-answer`: no host took it. `failed`:
 * anything else, see the host's log.
 */
export const profileLookupFailureSchema = z.enum([
  'not-found',
  'too-large',
  'damaged',
  'store-unavailable',
  'no-key',
  'unsupported',
  'no-answer',
  'failed',
]);
export type ProfileLookupFailure = z.infer<typeof profileLookupFailureSchema>;

/** What a folder holds under one name. */
export const profileEntrySchema = z.object({
  /** As it is in a path: see `profilePathSchema`. */
  name: z.string(),
  kind: z.enum(['file', 'folder', 'link', 'other']),
  /** 0 for folders. */
  sizeBytes: z.int(),
  modifiedAt: timestampSchema.nullable(),
});
export type ProfileEntry = z.infer<typeof profileEntrySchema>;

/** A look into an older version of a profile. It is forgotten ten minutes after it was asked for. */
export const profileLookupViewSchema = z.object({
  id: idSchema,
  kind: profileLookupKindSchema,
  path: z.string(),
  state: profileLookupStateSchema,
  failure: profileLookupFailureSchema.nullable(),
  /** Of a folder that was found: folders first, by name. */
  entries: z.array(profileEntrySchema).nullable(),
  /** False when the folder holds more than is shown. */
  isComplete: z.boolean(),
  createdAt: timestampSchema,
});
export type ProfileLookupView = z.infer<typeof profileLookupViewSchema>;
