import { z } from 'zod';
import { nameSchema } from './primitives.js';

/** Pictures are small: they travel in documents and are shown in lists. */
export const MAX_ICON_BYTES = 64 * 1024;

export const appIconSchema = z
  .object({
    mediaType: z.enum(['image/png', 'image/svg+xml']),
    base64: z
      .base64()
      .min(4)
      .max(Math.ceil(MAX_ICON_BYTES / 3) * 4),
  })
  .strict();
export type AppIcon = z.infer<typeof appIconSchema>;

/** An application as the start menu of the desktop names it. */
export const appEntrySchema = z
  .object({
    /** Name of its desktop file, e.g. `gnumeric.desktop`. */
    id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,100}\.desktop$/),
    name: z.string().trim().min(1).max(100),
  })
  .strict();
export type AppEntry = z.infer<typeof appEntrySchema>;

/** What is known of an app layer: read-only content for `/usr` of desktops with this operating system. */
export const appLayerManifestSchema = z
  .object({
    formatVersion: z.literal(1),
    name: nameSchema,
    displayName: z.string().trim().min(1).max(100),
    description: z.string().trim().max(500),
    /** The version as people know it, e.g. `1.12.55-1`. */
    label: z.string().trim().min(1).max(100),
    /** As /etc/os-release of the golden image it was made for. */
    os: z
      .object({ id: z.string().min(1).max(50), versionId: z.string().max(50), architecture: z.string().min(1).max(50) })
      .strict(),
    /** The golden image that it was built on. */
    base: z.object({ image: nameSchema, digest: z.string().min(1).max(100) }).strict(),
    /** Of its volume version in the store: the digest of all its chunks, in hex. */
    volumeId: z.string().regex(/^[0-9a-f]{64}$/),
    layerBytes: z.int().min(1),
    installedBytes: z.int().min(0),
    /** The first is the one that opens when the application is started by its name. */
    entries: z.array(appEntrySchema).min(1).max(50),
    icon: appIconSchema,
    /** Debian packages in it. */
    packages: z.array(z.object({ name: z.string().max(200), version: z.string().max(200) }).strict()).max(2000),
  })
  .strict();
export type AppLayerManifest = z.infer<typeof appLayerManifestSchema>;

/** A manifest as it was signed. */
export const signedAppLayerSchema = z
  .object({
    /** The very text that was signed: JSON of an AppLayerManifest. */
    payload: z
      .string()
      .min(2)
      .max(512 * 1024),
    /** Ed25519, over the UTF-8 bytes of the payload. */
    signature: z.base64().length(88),
    /** First 16 hex digits of the SHA-256 of the raw public key. */
    keyId: z.string().regex(/^[0-9a-f]{16}$/),
  })
  .strict();
export type SignedAppLayer = z.infer<typeof signedAppLayerSchema>;
