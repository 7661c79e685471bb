import { sign } from 'node:crypto';
import { type AppLayerManifest, appLayerManifestSchema, type SignedAppLayer } from '#libs/contracts';
import type { SigningKey } from './signing-key.js';

/** Signs the very text of the manifest that goes into the document. */
export function signLayer(manifest: AppLayerManifest, key: SigningKey): SignedAppLayer {
  const payload = JSON.stringify(appLayerManifestSchema.parse(manifest));
  const signature = sign(null, Buffer.from(payload, 'utf8'), key.privateKey).toString('base64');
  return { payload, signature, keyId: key.keyId };
}
