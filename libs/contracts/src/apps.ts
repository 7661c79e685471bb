import { z } from 'zod';
import { signedAppLayerSchema } from './app-layer.js';
import { nameSchema, timestampSchema } from './primitives.js';

/** `at-logon`: there when the person comes to the desktop. `on-demand`: attached at its first start. */
export const appModeSchema = z.enum(['at-logon', 'on-demand']);
export type AppMode = z.infer<typeof appModeSchema>;

/** Who gets a new version: `pilot` only assignments of the pilot ring, `broad` all that name no version. */
export const appRingSchema = z.enum(['pilot', 'broad']);
export type AppRing = z.infer<typeof appRingSchema>;

/** `assigned`: everybody in the role gets it. `allowed`: they may pin it, and get it then. */
export const appAssignmentKindSchema = z.enum(['assigned', 'allowed']);
export type AppAssignmentKind = z.infer<typeof appAssignmentKindSchema>;

/** `withdrawn` by IT; `damaged`: what the store holds of it is not what was signed. Neither is attached any more. */
export const appVersionStateSchema = z.enum(['published', 'withdrawn', 'damaged']);
export type AppVersionState = z.infer<typeof appVersionStateSchema>;

/** What has become of an application on a desktop; `on-demand`: in the menu, and attached when it is started first. */
export const sessionAppStateSchema = z.enum(['waiting', 'attaching', 'ready', 'on-demand', 'failed']);
export type SessionAppState = z.infer<typeof sessionAppStateSchema>;

/**
 * Why the person has the desktop without this application. `missing`: not in the store. `damaged`: not what was signed.
 * `untrusted`: not signed by a trusted key. `incompatible`: made for another operating system. `too-slow`: not there
 * before its deadline. `withdrawn` by IT. `failed`: anything else; see the details for IT.
 */
export const appFailureSchema = z.enum([
  'missing',
  'damaged',
  'untrusted',
  'incompatible',
  'too-slow',
  'withdrawn',
  'failed',
]);
export type AppFailure = z.infer<typeof appFailureSchema>;

/** An application of a session's desktop. */
export const sessionAppSchema = z.object({
  name: nameSchema,
  displayName: z.string(),
  /** Number of the version, and as people know it. */
  version: z.int(),
  label: z.string(),
  mode: appModeSchema,
  state: sessionAppStateSchema,
  reason: appFailureSchema.nullable(),
});
export type SessionApp = z.infer<typeof sessionAppSchema>;

/** An application as the person sees it who may use it. */
export const myAppSchema = z.object({
  name: nameSchema,
  displayName: z.string(),
  description: z.string(),
  /** Path of its picture. */
  iconUrl: z.string(),
  mode: appModeSchema,
  kind: appAssignmentKindSchema,
  /** Whether the person chose it; only for `allowed` ones. */
  pinned: z.boolean(),
  /** Names of the person's pools whose desktops it can appear on; the first is where it opens by itself. */
  pools: z.array(nameSchema),
});
export type MyApp = z.infer<typeof myAppSchema>;

/** Who gets an application, as IT sees it. */
export const appAssignmentViewSchema = z.object({
  role: z.string(),
  kind: appAssignmentKindSchema,
  /** A fixed version, or null: the newest of the ring. */
  version: z.int().nullable(),
  ring: appRingSchema,
  mode: appModeSchema,
  /** The version that people of this role get at their next logon; null when there is none to be had. */
  serves: z.int().nullable(),
  createdBy: z.string(),
  createdAt: timestampSchema,
});
export type AppAssignmentView = z.infer<typeof appAssignmentViewSchema>;

/** A version of an application, as IT sees it. */
export const appVersionViewSchema = z.object({
  number: z.int(),
  label: z.string(),
  state: appVersionStateSchema,
  ring: appRingSchema,
  layerBytes: z.int(),
  installedBytes: z.int(),
  os: z.object({ id: z.string(), versionId: z.string(), architecture: z.string() }),
  baseImage: nameSchema,
  volumeId: z.string(),
  keyId: z.string(),
  packages: z.int(),
  /** What is wrong with a damaged one. */
  failure: z.string().nullable(),
  createdBy: z.string(),
  createdAt: timestampSchema,
});
export type AppVersionView = z.infer<typeof appVersionViewSchema>;

/** An application as IT sees it. */
export const appViewSchema = z.object({
  name: nameSchema,
  displayName: z.string(),
  description: z.string(),
  iconUrl: z.string(),
  /** Newest first. */
  versions: z.array(appVersionViewSchema),
  assignments: z.array(appAssignmentViewSchema),
  /** People whose profile record holds it since their last logon. */
  people: z.int(),
  /** Desktops that have it now, and those that should and could not get it. */
  desktops: z.object({ ready: z.int(), failed: z.int() }),
});
export type AppView = z.infer<typeof appViewSchema>;

/** A signed layer, for the catalogue. */
export const registerAppVersionSchema = z
  .object({ layer: signedAppLayerSchema, ring: appRingSchema.default('broad') })
  .strict();
export type RegisterAppVersion = z.infer<typeof registerAppVersionSchema>;

/** How a role gets an application. */
export const assignAppSchema = z
  .object({
    kind: appAssignmentKindSchema.default('assigned'),
    version: z.int().min(1).max(1_000_000).nullable().default(null),
    ring: appRingSchema.default('broad'),
    mode: appModeSchema.default('at-logon'),
    /** Also on the desktops of people who are in a session now. */
    now: z.boolean().default(false),
  })
  .strict();
export type AssignApp = z.infer<typeof assignAppSchema>;

/** What IT may change of a version. */
export const updateAppVersionSchema = z
  .object({ ring: appRingSchema, state: appVersionStateSchema.extract(['published', 'withdrawn']) })
  .partial()
  .strict();
export type UpdateAppVersion = z.infer<typeof updateAppVersionSchema>;

/** What a person's roaming profile holds, as of the last logon. */
export const profileViewSchema = z.object({
  username: z.string(),
  roles: z.array(z.string()),
  apps: z.array(
    z.object({
      name: nameSchema,
      displayName: z.string(),
      version: z.int(),
      mode: appModeSchema,
      /** The role it comes from. */
      role: z.string(),
      pinned: z.boolean(),
    }),
  ),
  updatedAt: timestampSchema,
});
export type ProfileView = z.infer<typeof profileViewSchema>;
