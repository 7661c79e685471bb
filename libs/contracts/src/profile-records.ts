import { z } from 'zod';
import { idSchema, timestampSchema } from './primitives.js';
import { profileContextSchema, profileVersionReasonSchema, profileVersionStateSchema } from './profiles.js';

const versionNumberSchema = z.int().min(1).max(99_999_999);
const digestSchema = z.string().regex(/^[0-9a-f]{64}$/);

/**
 * What a volume store says about a version of a profile, so that it can be brought back where there is no database that
 * knows it. Useless without the master key of the site that made it.
 */
export const profileRecordSchema = z.strictObject({
  volumeId: idSchema,
  username: z.string().min(1).max(256),
  context: profileContextSchema,
  /** The key of the volume under the master key, in base64. */
  wrappedKey: z.base64().max(1024),
  number: versionNumberSchema,
  versionId: digestSchema,
  state: profileVersionStateSchema,
  parent: versionNumberSchema.nullable(),
  restoredFrom: versionNumberSchema.nullable(),
  reason: profileVersionReasonSchema,
  isClean: z.boolean(),
  /** Of the volume, holes counted. */
  sizeBytes: z.int().min(1),
  createdAt: timestampSchema,
  /** Shows whoever has the key of the volume that nothing of the above was altered. */
  seal: digestSchema,
});
export type ProfileRecord = Readonly<z.infer<typeof profileRecordSchema>>;

/** A version that was copied into the site's own store, to be made the newest of its person's profile. */
export const importProfileSchema = z.strictObject({
  record: profileRecordSchema,
  /** The highest number that the other store gave to a version of the volume: those given here come after. */
  after: versionNumberSchema,
});
export type ImportProfile = z.infer<typeof importProfileSchema>;

/** `asked`: a provisioner does it within seconds. */
export const profileImportStateSchema = z.enum(['asked', 'done', 'refused']);

export const profileImportViewSchema = z.object({
  id: idSchema,
  username: z.string(),
  context: profileContextSchema,
  /** Its number in the other store. */
  from: z.int(),
  state: profileImportStateSchema,
  /** The number that it got here, once it is done. */
  number: z.int().nullable(),
  /** Why it was refused. */
  problem: z.string().nullable(),
});
export type ProfileImportView = z.infer<typeof profileImportViewSchema>;
