import { verify } from 'node:crypto';
import { type AppLayerManifest, appLayerManifestSchema, signedAppLayerSchema } from '#libs/contracts';
import { AppLayerError } from '../app-layer-error.js';
import type { TrustedKeys } from './trusted-keys.js';

/**
 * The manifest of a signed document, once it is known that a trusted key signed every byte of it.
 * @param document as it came, e.g. parsed JSON
 * @throws AppLayerError 'unsigned' (no such document), 'untrusted' (by another key) or 'tampered' (not what was signed)
 */
export function verifyLayer(document: unknown, trustedKeys: TrustedKeys): AppLayerManifest {
  const parsed = signedAppLayerSchema.safeParse(document);
  if (!parsed.success) throw new AppLayerError('unsigned', 'this is not the signed document of an app layer');
  const { payload, signature, keyId } = parsed.data;
  const key = trustedKeys.get(keyId);
  if (!key)
    throw new AppLayerError(
      'untrusted',
      `the app layer is signed with the key ${keyId}, which is not among the trusted ones`,
    );
  const bytes = Buffer.from(signature, 'base64');
  // Base64 has more than one form of the same bytes.
  if (bytes.toString('base64') !== signature || !verify(null, Buffer.from(payload, 'utf8'), key, bytes)) {
    throw new AppLayerError('tampered', 'the app layer is not what was signed');
  }
  return manifestOf(payload);
}

/** A trusted key signed it, so it is no attack; it may be of a later version of Goldleaf. */
function manifestOf(payload: string): AppLayerManifest {
  try {
    return appLayerManifestSchema.parse(JSON.parse(payload));
  } catch (cause) {
    throw new AppLayerError('tampered', 'the manifest of the app layer cannot be read by this version', { cause });
  }
}
